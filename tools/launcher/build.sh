# shellcheck shell=bash
# The build folders: packages first, then meson, then ninja, then the stamp that makes the next call quick.

# What tells one build folder from another: compiler and meson options.
fl_configuration() {
    FL_OPTIONS=(-Dunicorn=enabled)
    case $1 in
        gcc) FL_CC=gcc; FL_OPTIONS+=(-Dbuildtype=debugoptimized -Dengine=none) ;;
        clang-san)
            FL_CC=clang
            # Clang leaves the sanitizers' own symbols open until the final link.
            FL_OPTIONS+=(-Dbuildtype=debugoptimized -Dengine=none '-Db_sanitize=address,undefined' -Db_lundef=false) ;;
        # Branches as they are written, not as the optimiser leaves them.
        coverage) FL_CC=gcc; FL_OPTIONS+=(-Dbuildtype=debug -Dengine=none -Db_coverage=true) ;;
        libfuzzer) FL_CC=clang; FL_OPTIONS+=(-Dbuildtype=debugoptimized -Dengine=libfuzzer -Db_lundef=false) ;;
        afl) FL_CC=afl-clang-fast; FL_OPTIONS+=(-Dbuildtype=debugoptimized -Dengine=afl -Db_lundef=false) ;;
    esac
    # A test of everything must not quietly leave an optional part out.
    if [ "$FL_STRICT" = 1 ]; then FL_OPTIONS+=(-Dauto_features=enabled); else FL_OPTIONS+=(-Dauto_features=auto); fi
}

fl_build_failed() {
    fl_quote_log 'FAILED:|ERROR:|error:' 25
    fl_die "cannot $1: see the lines above, the whole output is in $(fl_shown "$FL_LOG")"
}

# fl_configure CFG: a folder that meson finished with these options, or a new one.
# `faultline.options` is written after meson succeeded, so a killed configuration never has it.
fl_configure() {
    local dir=$FL_BUILD/$1 want have
    fl_configuration "$1"
    # A library that came since then is looked for again: meson's answer of that day is kept in the folder.
    want="root=$FL_ROOT CC=$FL_CC PKG_CONFIG_PATH=${PKG_CONFIG_PATH:-} ${FL_OPTIONS[*]} libraries=$(fl_present_libraries)"
    have=$(cat "$dir/faultline.options" 2>/dev/null)
    # A folder that was made strict is good for everyday use as well.
    [ "$FL_STRICT" = 1 ] || have=${have/auto_features=enabled/auto_features=auto}
    if [ -f "$dir/build.ninja" ] && [ "$have" = "$want" ]; then return; fi
    [ -f "$FL_ROOT/meson.build" ] || fl_die "meson.build is missing in $FL_ROOT: this is not a whole copy of Faultline"
    fl_say "configuring $(fl_shown "$dir") ($FL_CC)"
    rm -rf "$dir"
    CC=$FL_CC AFL_QUIET=1 fl_logged meson setup "$dir" "$FL_ROOT" "${FL_OPTIONS[@]}" ||
        { rm -rf "$dir"; fl_build_failed "configure $(fl_shown "$dir")"; }
    printf '%s\n' "$want" >"$dir/faultline.options"
}

# fl_build_one CFG [programs]: with `programs` without the tests, which are most of the work, where the folder has that target.
fl_build_one() {
    local dir=$FL_BUILD/$1 began=$SECONDS work
    local -a what=()
    # The stamp gets the time before the build: a file saved while it runs is newer and builds again.
    : >"$FL_BUILD/.began"
    fl_configure "$1"
    if [ "${2:-}" = programs ] && grep -qs '^build programs:' "$dir/build.ninja"; then what=(programs); fi
    # Unchanged folders stay silent: a dry run costs a few hundredths of a second.
    work=$(ninja -C "$dir" -n "${what[@]}" 2>/dev/null | tail -n 1)
    case $work in *'no work to do'*) ;; *) fl_say "building $(fl_shown "$dir")" ;; esac
    if ! AFL_QUIET=1 fl_logged ninja -C "$dir" "${what[@]}"; then
        # A newer meson refuses the folder of an older one, and a folder may be damaged: start that folder afresh, once.
        if fl_last_output | grep -qE 'generated with Meson version|--wipe|build\.ninja:[0-9]+: |ninja: error: loading'; then
            fl_say "starting $(fl_shown "$dir") afresh"
            rm -rf "$dir"
            fl_configure "$1"
            AFL_QUIET=1 fl_logged ninja -C "$dir" "${what[@]}" || fl_build_failed "build $(fl_shown "$dir")"
        else
            fl_build_failed "build $(fl_shown "$dir")"
        fi
    fi
    [ $((SECONDS - began)) -lt 2 ] || fl_say "built $(fl_shown "$dir") in $((SECONDS - began)) s"
    printf '%s\npkg_config_path=%s\n' "$FL_STAMP_HEAD" "$FL_USER_PKG_CONFIG_PATH" >"$dir/faultline.stamp.new" &&
        touch -r "$FL_BUILD/.began" "$dir/faultline.stamp.new" &&
        mv -f "$dir/faultline.stamp.new" "$dir/faultline.stamp"
}

# fl_prepare CFG...: packages and Unicorn for these build folders. FL_NEEDS_MORE adds words of the package table.
fl_prepare() {
    fl_needs_of "$@"
    FL_NEEDS+="${FL_NEEDS_MORE:-}"
    FL_USER_PKG_CONFIG_PATH=${PKG_CONFIG_PATH:-}
    fl_plan_unicorn
    fl_install_missing
    fl_bring_unicorn
}

# fl_set_up CFG...: all of it, under the lock.
fl_set_up() {
    local cfg
    fl_lock
    # Whoever held the lock may have done our work.
    if [ "${fl_plugin_missing:-0}" = 0 ] && fl_fresh "$@"; then fl_unlock; return; fi
    fl_log_begin
    fl_prepare "$@"
    for cfg; do fl_build_one "$cfg" programs; done
    fl_unlock
    [ -x "$FL_PROGRAM" ] ||
        fl_die "the build went through but made no $(fl_shown "$FL_PROGRAM"): meson.build does not build it"
}
