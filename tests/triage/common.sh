# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the scripts of this folder share: a working folder, and checks that count.
: "${program:?the faultline command}"
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

# expect CODE PATTERN ARGUMENT...: runs faultline triage; its exit code, and one line on standard error that matches (none, for an
# empty pattern). What it printed is in $work/out.
expect() {
    local code=$1 pattern=$2 got lines
    shift 2
    "$program" triage "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "triage $*: exit code $got, expected $code: $(head -c 400 "$work/err" "$work/out")"
    lines=$(wc -l <"$work/err")
    if [ -z "$pattern" ]; then
        [ "$lines" = 0 ] || fail "triage $*: standard error is \"$(head -c 400 "$work/err")\", expected nothing"
    else
        [ "$lines" = 1 ] || fail "triage $*: $lines lines on standard error, expected 1: $(head -c 400 "$work/err")"
        grep -qE -- "$pattern" "$work/err" || fail "triage $*: said \"$(head -c 400 "$work/err")\", expected /$pattern/"
    fi
}

# says PATTERN: the last expect printed such a line
says() {
    checks=$((checks + 1))
    grep -qE -- "$1" "$work/out" || fail "printed \"$(head -c 900 "$work/out")\", expected /$1/"
}

# bucket DIR KEY STATUS
bucket() {
    local got
    got=$("$program" triage --list --dir "$1" 2>&1 | awk -v key="$2" '$NF == key {print $1; exit}')
    checks=$((checks + 1))
    [ "$got" = "$3" ] || fail "$2 is \"$got\", expected $3"
}

# open_buckets DIR: how many findings are open
open_buckets() { "$program" triage --list --json --dir "$1" | sed -n 's/^  "open": \([0-9]*\),$/\1/p'; }

finish() {
    echo "$1: $checks checks, $failures failures"
    [ $failures = 0 ] && [ $checks -ge "$2" ]
}
