# shellcheck shell=bash
# What Faultline needs, as data, and how to find out whether it is there.

# package | level | needed for | how to see it without dpkg | what it is for
#   level      required: nothing goes without it
#              optional: installed by the set-up where the distribution has it; without it Faultline does less
#              extra:    never installed unasked; `faultline doctor` names it
#   needed for build (every command), libfuzzer, afl, test, quick (test --quick), coverage, decoders (the decoder
#              plug-ins), bare (the bare-machine check), slurm (campaigns on several machines, test --slow)
#   how        cmd:NAME a command, pc:MODULE a pkg-config module, h:FILE a header, f:FILE a file, rt clang's runtime libraries,
#              - only dpkg knows
# Unicorn has rules of its own (unicorn.sh).
fl_package_table() {
    cat <<'TABLE'
gcc|required|build|cmd:gcc|compiles Faultline
libc6-dev|required|build|-|headers of the C library
meson|required|build|cmd:meson|configures the build
ninja-build|required|build|cmd:ninja|runs the build
patch|required|build|cmd:patch|makes the wrong cores that the tests use
pkgconf|required|build|cmd:pkg-config|finds the libraries
zlib1g-dev|required|build|pc:zlib|reads .gz files of page-walk vectors
libjansson-dev|required|build|pc:jansson|reads and writes JSON
libsqlite3-dev|required|build|pc:sqlite3|keeps what campaigns find (SQLite)
libncurses-dev|required|build|pc:ncursesw|draws the live status of a campaign (ncurses)
libxxhash-dev|required|build|pc:libxxhash|digests of worlds (xxHash, headers only)
libcapstone-dev|optional|build|pc:capstone|second opinion on prefetch decoding (Capstone)
libzydis-dev|optional|build|h:Zydis/Zydis.h|second opinion on prefetch decoding (Zydis)
binutils-dev|optional|decoders,test|h:dis-asm.h|decoder plug-in of libopcodes, which objdump and gdb use (GPL)
llvm-dev|optional|decoders,test|h:llvm-c/Disassembler.h|decoder plug-in of LLVM
libdistorm3-dev|optional|decoders,test|h:distorm3/distorm.h|decoder plug-in of distorm
clang|required|libfuzzer,test|cmd:clang|compiler of the fuzzing engines and sanitizers
libclang-rt-dev|required|libfuzzer,test|rt|libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer
afl++|required|afl,test|cmd:afl-clang-fast|the AFL++ engine
procps|optional|quick,test|cmd:pgrep|finds what tests have left running
clang-format|optional|quick,test|cmd:clang-format|the format lint
libjs-chart.js|optional|build,test|f:/usr/share/javascript/chart.js/chart.min.js|draws the charts of HTML reports (Chart.js)
gcovr|optional|coverage|cmd:gcovr|line and branch coverage of the core
shellcheck|optional|quick,test|cmd:shellcheck|the shell lint
chromium|optional|test|cmd:chromium|the browser that looks at HTML reports in the tests
chromium-driver|optional|test|cmd:chromedriver|drives that browser
git|optional|bare|cmd:git|clones the project for the bare-machine check
debootstrap|optional|bare|cmd:debootstrap|makes the minimal Debian of the bare-machine check
slurmctld|optional|slurm|cmd:slurmctld|a Slurm of two nodes for the tests: the controller
slurmd|optional|slurm|cmd:slurmd|a Slurm of two nodes for the tests: the nodes
slurm-client|optional|slurm|cmd:sbatch|submits campaigns to a cluster
munge|optional|slurm|cmd:munged|lets the parts of Slurm trust each other
llvm|extra|libfuzzer,test|cmd:llvm-symbolizer|function names and lines in sanitizer reports
TABLE
}

fl_pkg_config() { command -v pkg-config >/dev/null && pkg-config "$@" 2>/dev/null; }

# fl_probe HOW: is it there, whoever installed it?
fl_probe() {
    local dir
    case $1 in
        cmd:*) command -v "${1#cmd:}" >/dev/null ;;
        pc:*) fl_pkg_config --exists "${1#pc:}" ;;
        h:*) [ -e "/usr/include/${1#h:}" ] || [ -e "/usr/local/include/${1#h:}" ] ;;
        f:*) [ -e "${1#f:}" ] ;;
        rt)
            dir=$(clang -print-resource-dir 2>/dev/null) || return 1
            compgen -G "$dir/lib/*/libclang_rt.fuzzer*.a" >/dev/null
            ;;
        *) return 1 ;;
    esac
}

# fl_present_libraries: the optional libraries that are there, whoever installed them: what meson's "auto" finds depends on them.
fl_present_libraries() {
    local package level how
    while IFS='|' read -r package level _ how _; do
        case $level:$how in
            optional:pc:* | optional:h:*) ! fl_probe "$how" || printf '%s ' "$package" ;;
        esac
    done < <(fl_package_table)
}

# In words, for systems where package names differ.
fl_probe_words() {
    case $1 in
        cmd:*) printf 'the command %s' "${1#cmd:}" ;;
        pc:*) printf 'the pkg-config module %s' "${1#pc:}" ;;
        h:*) printf 'the header %s' "${1#h:}" ;;
        f:*) printf 'the file %s' "${1#f:}" ;;
        rt) printf 'libFuzzer for clang (compiler-rt)' ;;
        *) printf 'C library headers' ;;
    esac
}

# fl_needs_of CFG...: the "needed for" words behind the build folders.
fl_needs_of() {
    local cfg
    FL_NEEDS=" build "
    for cfg; do
        case $cfg in
            gcc) ;;
            clang-san) FL_NEEDS+="libfuzzer " ;;
            *) FL_NEEDS+="$cfg " ;;
        esac
    done
}

fl_have_apt() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

# Fills FL_MISSING_REQUIRED and FL_MISSING_OPTIONAL with package names for FL_NEEDS, FL_MISSING_WORDS with the
# same in words. One dpkg-query answers for all packages; what dpkg does not have is looked for by other means,
# because a meson from pip or a hand-built Capstone is just as good.
fl_find_missing() {
    local package level needs how why need installed=' '
    local -a names=()
    FL_MISSING_REQUIRED=()
    FL_MISSING_OPTIONAL=()
    FL_MISSING_WORDS=()
    FL_MISSING_PROBES=()
    while IFS='|' read -r package level needs how why; do names+=("$package"); done < <(fl_package_table)
    if fl_have_apt; then
        while read -r package need; do
            # Half-installed after a killed apt counts as missing: installing it again finishes it.
            [[ $need == ?i* ]] && installed+="${package%%:*} "
        done < <(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "${names[@]}" 2>/dev/null)
    fi
    # `why` belongs to the row and is for the doctor.
    # shellcheck disable=SC2034
    while IFS='|' read -r package level needs how why; do
        [ "$level" = extra ] && continue
        need=0
        for needs in ${needs//,/ }; do [[ $FL_NEEDS == *" $needs "* ]] && need=1; done
        [ $need = 1 ] || continue
        [[ $installed == *" $package "* ]] && continue
        [ "$how" = "-" ] && ! fl_have_apt && { [ -e /usr/include/stdio.h ] && continue; }
        fl_probe "$how" && continue
        if [ "$level" = required ]; then
            FL_MISSING_REQUIRED+=("$package")
            FL_MISSING_WORDS+=("$(fl_probe_words "$how")")
            FL_MISSING_PROBES+=("$how")
        else
            FL_MISSING_OPTIONAL+=("$package")
        fi
    done < <(fl_package_table)
}

# Systems without apt: name what is missing in a way the package manager at hand understands, and stop.
fl_name_missing() {
    local words hint='' how
    printf -v words '%s, ' "${FL_MISSING_WORDS[@]}"
    for how in "${FL_MISSING_PROBES[@]}"; do
        if command -v dnf >/dev/null || command -v zypper >/dev/null; then
            case $how in
                cmd:*) hint+=" /usr/bin/${how#cmd:}" ;;
                pc:*) hint+=" 'pkgconfig(${how#pc:})'" ;;
                rt) hint+=" compiler-rt" ;;
            esac
        elif command -v apk >/dev/null; then
            case $how in
                cmd:*) hint+=" cmd:${how#cmd:}" ;;
                pc:*) hint+=" pc:${how#pc:}" ;;
                rt) hint+=" compiler-rt" ;;
            esac
        fi
    done
    if command -v dnf >/dev/null; then hint="; try: dnf install$hint"
    elif command -v zypper >/dev/null; then hint="; try: zypper install$hint"
    elif command -v apk >/dev/null; then hint="; try: apk add$hint"
    else hint="; install them with this system's package manager (own builds: set PATH and PKG_CONFIG_PATH), then run again"; fi
    fl_die "missing: ${words%, }$hint"
}
