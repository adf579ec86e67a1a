# shellcheck shell=bash
# Shared by the lints: which files to look at, and how to end. Never run alone.

# Argument 1 of every lint is the source root; alone, a lint finds it itself.
lint_root=${1:-$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)}
cd "$lint_root" || exit 2
lint_found=0
lint_looked=0

# lint_files PATTERN...: the project's files (tracked, or new and not ignored) whose path matches one of the globs.
# Without git or outside a clone: everything but build folders.
lint_files() {
    local file pattern
    {
        git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
            find . -path ./.git -prune -o -path './build*' -prune -o -type f -print0 | sed -z 's|^\./||'
    } | sort -z | while IFS= read -r -d '' file; do
        [ -f "$file" ] || continue # deleted, not committed yet
        for pattern; do
            # The pattern is meant as a pattern.
            # shellcheck disable=SC2053
            if [[ $file == $pattern ]]; then
                printf '%s\n' "$file"
                break
            fi
        done
    done
}

# lint_report WHERE WHAT...: one finding.
lint_report() {
    printf '%s: ' "$1"
    shift
    printf '%s\n' "$*"
    lint_found=$((lint_found + 1))
}

lint_skip() {
    echo "skipped: $*"
    exit 77
}

# lint_end WHAT: a lint that looked at nothing has not passed.
lint_end() {
    echo "$lint_looked $1 looked at, $lint_found findings"
    [ "$lint_found" = 0 ] && [ "$lint_looked" -gt 0 ]
}
