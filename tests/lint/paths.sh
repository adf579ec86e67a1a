#!/usr/bin/env bash
# Nothing in the project names a folder of somebody's machine or a package mirror: what works only here is a bug there.
# Documents may use /home/you and /home/user in examples.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# A folder at the start of a path (not ./root/, not $system/root/), then a mirror.
pattern='(^|[^A-Za-z0-9_./}"*-])/(work|root|home|Users)/[A-Za-z0-9_]|(deb|snapshot|ftp|security)(\.[a-z]+)?\.debian\.org'
mapfile -t files < <(lint_files '*')
for file in "${files[@]}"; do
    # The patterns themselves stand here.
    [ "$file" != tests/lint/paths.sh ] || continue
    lint_looked=$((lint_looked + 1))
    while IFS= read -r line; do
        lint_report "$file:${line%%:*}" "names a place of one machine or a mirror: ${line#*:}"
    done < <(grep -InE -- "$pattern" "$file" | grep -vE '/home/(you|user)(/|\b)' | grep -vE '^[0-9]+:#!')
done
lint_end "files"
