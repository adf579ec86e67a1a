# shellcheck shell=bash
# `faultline doctor`: looks, changes nothing.

fl_doctor_help() {
    cat <<'TEXT'
usage: faultline doctor [--json]

Says what is installed, what is missing, what each part adds and how to get it. Changes nothing.
Exit code: 0 when everything required is there, 1 when something required is missing.
TEXT
}

fl_json_string() {
    local s=$1
    s=${s//\\/\\\\}
    s=${s//\"/\\\"}
    s=${s//$'\n'/ }
    s=${s//$'\t'/ }
    printf '"%s"' "$s"
}

# fl_version_by HOW PACKAGE: the version in use; empty when the part is not there.
fl_version_by() {
    local out=
    if fl_have_apt; then
        out=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "$2" 2>/dev/null | sed -n '/^.i/{s/^[^ ]* *//p;q}')
    fi
    if [ -z "$out" ]; then
        case $1 in
            cmd:*)
                if command -v "${1#cmd:}" >/dev/null; then
                    out=$("${1#cmd:}" --version 2>/dev/null </dev/null | grep -oE -m 1 '[0-9]+(\.[0-9]+)+' | head -n 1)
                    out=${out:-there}
                fi ;;
            pc:*) out=$(fl_pkg_config --modversion "${1#pc:}") ;;
            *) fl_probe "$1" && out=there ;;
        esac
    fi
    printf '%s' "$out"
}

# One part: name, level, version (empty: missing), what it adds, to which commands, how to get it.
fl_doctor_row() {
    local name=$1 level=$2 version=$3 why=$4 commands=$5 how=$6 state=ok
    if [ -z "$version" ]; then
        state=missing
        [ "$level" = required ] && FL_DOCTOR_MISSING=$((FL_DOCTOR_MISSING + 1))
    else
        how=
    fi
    if [ "$FL_JSON" = 1 ]; then
        [ -z "$FL_DOCTOR_COMMA" ] || echo ,
        FL_DOCTOR_COMMA=1
        printf '    {"name": %s, "level": "%s", "state": "%s", "version": %s, "adds": %s, "for": %s, "get": %s}' \
            "$(fl_json_string "$name")" "$level" "$state" "$(fl_json_string "$version")" \
            "$(fl_json_string "$why")" "$(fl_json_string "$commands")" "$(fl_json_string "$how")"
        return
    fi
    printf '%-8s %-9s %-16s %-22s %s (%s)\n' "$state" "$level" "$name" "${version:0:22}" "$why" "$commands"
    if [ -n "$how" ]; then printf '%36s get it: %s\n' '' "$how"; fi
}

fl_doctor_unicorn() {
    local version='' why="runs the instructions whose faults are judged" get="./faultline fuzz brings it"
    if fl_unicorn_system; then
        version="$(fl_pkg_config --modversion unicorn) (pkg-config)"
    elif fl_unicorn_private; then
        version="$(fl_version_of "$FL_UNICORN_PC") (private)"
    elif fl_pkg_config --exists unicorn; then
        why="found $(fl_pkg_config --modversion unicorn), which is too old: $FL_UNICORN_MIN or newer is needed"
    fi
    fl_have_apt || get="install Unicorn >= $FL_UNICORN_MIN with its pkg-config file, or set PKG_CONFIG_PATH"
    fl_doctor_row unicorn required "$version" "$why" "every command" "$get"
}

fl_doctor_builds() {
    local cfg state
    fl_stamp_head
    for cfg in gcc clang-san coverage libfuzzer afl; do
        if fl_fresh "$cfg"; then state="up to date"
        elif [ -f "$FL_BUILD/$cfg/faultline.stamp" ]; then state="out of date (the next call rebuilds it)"
        elif [ -d "$FL_BUILD/$cfg" ]; then state="half-made (the next call that needs it finishes it)"
        else state="not built yet"; fi
        if [ "$FL_JSON" = 1 ]; then
            [ $cfg = gcc ] || echo ,
            printf '    {"name": "%s", "state": %s}' $cfg "$(fl_json_string "$state")"
        else
            printf '%-8s %-9s %s\n' build $cfg "$state"
        fi
    done
}

fl_doctor() {
    local arg package level needs how why get words
    FL_JSON=0
    FL_DOCTOR_MISSING=0
    FL_DOCTOR_COMMA=
    for arg; do
        case $arg in
            --json) FL_JSON=1 ;;
            --help | -h) fl_doctor_help; return 0 ;;
            *) fl_die "doctor: unknown argument '$arg'; faultline doctor --help lists them" ;;
        esac
    done
    if [ "$FL_JSON" = 1 ]; then printf '{\n  "parts": [\n'; fi
    while IFS='|' read -r package level needs how why; do
        words=${needs//,/, }
        words=${words/build/every command}
        words=${words/libfuzzer/fuzz}
        words=${words/quick, test/test}
        words=${words/afl/fuzz --engine afl}
        words=${words/decoders/conform --decoders all}
        words=${words/bare/the bare-machine check}
        words=${words/slurm/campaign --slurm, test --slow}
        if [ "$level" = extra ] || [ "$needs" = bare ] || [ "$needs" = slurm ]; then get="apt-get install $package"; else get="./faultline brings it"; fi
        fl_have_apt || get="$(fl_probe_words "$how"), from this system's packages"
        # Without dpkg the C library's headers show themselves as a file.
        if [ "$how" = - ] && ! fl_have_apt; then
            [ -e /usr/include/stdio.h ] && arg=there || arg=
        else
            arg=$(fl_version_by "$how" "$package")
        fi
        # clang and AFL++ are asked for only by the commands that use them, yet the default command is one of these.
        [ "$level/$needs" = required/afl,test ] && level=optional
        fl_doctor_row "$package" "$level" "$arg" "$why" "$words" "$get"
    done < <(fl_package_table)
    fl_doctor_unicorn
    if [ "$FL_JSON" = 1 ]; then printf '\n  ],\n  "builds": [\n'; fi
    fl_doctor_builds
    if [ "$FL_JSON" = 1 ]; then
        printf '\n  ],\n  "missing_required": %d\n}\n' "$FL_DOCTOR_MISSING"
    elif [ "$FL_DOCTOR_MISSING" = 0 ]; then
        echo "Everything required is there."
    else
        echo "$FL_DOCTOR_MISSING required parts are missing."
    fi
    [ "$FL_DOCTOR_MISSING" = 0 ]
}
