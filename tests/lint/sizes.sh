#!/usr/bin/env bash
# No source file over 500 lines: a file that long wants to be two.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

limit=500
while IFS= read -r file; do
    lint_looked=$((lint_looked + 1))
    lines=$(wc -l <"$file")
    [ "$lines" -le $limit ] || lint_report "$file" "$lines lines, at most $limit; split it"
done < <(lint_files '*.c' '*.h' '*.sh' faultline)
lint_end "files"
