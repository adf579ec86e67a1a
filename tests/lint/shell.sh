#!/usr/bin/env bash
# Every shell script, by name or by first line, is clean under shellcheck.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

command -v shellcheck >/dev/null || lint_skip "shellcheck is not here"
files=()
while IFS= read -r file; do
    case $file in
        *.sh) files+=("$file") ;;
        *.*) ;; # has another ending, so it is something else
        *)
            IFS= read -r first <"$file" 2>/dev/null || continue
            case $first in '#!'*sh | '#!'*sh' '*) files+=("$file") ;; esac ;;
    esac
done < <(lint_files '*.sh' '*' | tr -d '\0')
# .ci/run has a dot in its folder only.
[ -f .ci/run ] && files+=(.ci/run)
lint_looked=${#files[@]}
if [ "$lint_looked" -gt 0 ]; then
    shellcheck -x -P . -- "${files[@]}" || lint_report "shell" "shellcheck has findings, above"
fi
lint_end "scripts"
