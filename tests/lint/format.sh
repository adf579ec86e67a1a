#!/usr/bin/env bash
# C files stand as .clang-format says. Only clang-format 14 judges: other versions format differently.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

tool=
for name in clang-format-14 clang-format; do
    if command -v $name >/dev/null && [[ $($name --version) =~ version\ 14\. ]]; then
        tool=$name
        break
    fi
done
[ -n "$tool" ] || lint_skip "clang-format 14 is not here"
mapfile -t files < <(lint_files '*.c' '*.h')
lint_looked=${#files[@]}
if [ "$lint_looked" -gt 0 ]; then
    # One line per place; the fix is always the same.
    out=$($tool --dry-run -Werror --style=file -- "${files[@]}" 2>&1) ||
        lint_report "formatting" "run $tool -i on the files named below"
    [ -z "$out" ] || printf '%s\n' "$out" | grep -E '(error|warning):' | head -n 40
fi
lint_end "files"
