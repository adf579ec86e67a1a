#!/usr/bin/env bash
# The dependency arrows, read from the #include lines. The compiler enforces most of it through include folders;
# this catches what slips past them (paths with .., system headers in the core, a further file among the shared types).
#   core    own headers, the shared types, freestanding headers: no libc
#   oracle  own headers, the shared types, nothing of the core or the fuzzer
#   fuzz    own headers, core, oracle
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

freestanding=' float.h iso646.h limits.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h stdnoreturn.h '

# allowed PART FILE INCLUDE: INCLUDE is as written, with its <> or "".
allowed() {
    local part=$1 dir=${2%/*} name=${3:1:-1} folder target
    case $name in
        faultline/*)
            case $part in
                core) set -- core/types core/include ;;
                oracle) set -- core/types oracle/include ;;
                fuzz) set -- core/types core/include oracle/include fuzz/include ;;
            esac
            for folder; do [ -f "$folder/$name" ] && return 0; done
            return 1 ;;
    esac
    if [ "${3:0:1}" = '"' ]; then
        # Beside the file, or from the root of its part; with .. only as long as it stays in the part.
        for target in "$dir/$name" "$part/$name"; do
            [ -f "$target" ] || continue
            case $name in *..*) target=$(realpath --relative-to=. -- "$target") ;; esac
            case $target in "$part"/*) return 0 ;; esac
        done
        return 1
    fi
    case $name in *..*) return 1 ;; esac
    # System headers: the core takes only those that promise no library.
    [ "$part" != core ] || [[ $freestanding == *" $name "* ]]
}

while IFS= read -r file; do
    lint_looked=$((lint_looked + 1))
    while IFS=: read -r line text; do
        [[ $text =~ include[[:space:]]*([\<\"][^\>\"]*[\>\"]) ]] || {
            lint_report "$file:$line" "an #include that is not a plain <...> or \"...\""
            continue
        }
        name=${BASH_REMATCH[1]}
        allowed "${file%%/*}" "$file" "$name" || lint_report "$file:$line" "${file%%/*} must not include $name (or there is no such header)"
    done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' "$file")
done < <(lint_files 'core/*.[ch]' 'oracle/*.[ch]' 'fuzz/*.[ch]')

while IFS= read -r file; do
    case ${file#core/types/faultline/} in types.h | pin.h) ;; *)
        lint_report "$file" "core/types is what core and oracle share: types.h, pin.h and nothing else" ;;
    esac
done < <(lint_files 'core/types/*.h')
lint_end "files"
