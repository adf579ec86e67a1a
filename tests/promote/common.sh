# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests here share: $work is a scratch folder, $program the command.
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
checks=0 failures=0
unset FAULTLINE_CORE

fail() {
    failures=$((failures + 1))
    echo "FAIL, line ${BASH_LINENO[1]}: $*" >&2
}

# run CODE ARGUMENT...: the command's exit code; its output is in $work/out and $work/err.
run() {
    local code=$1 got
    shift
    # shellcheck disable=SC2154 # the script that reads this sets it
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "faultline $*: exit code $got, expected $code: $(tail -n 12 "$work/out") $(tail -n 3 "$work/err")"
}

# says REGEX: a line of the last command's output.
says() {
    checks=$((checks + 1))
    grep -qE -- "$1" "$work/out" || fail "no line like /$1/ in: $(head -n 15 "$work/out")"
}

# complains REGEX: its one line on standard error, or one of them.
complains() {
    checks=$((checks + 1))
    grep -qE -- "$1" "$work/err" || fail "no line like /$1/ on standard error: $(head -n 5 "$work/err")"
}

# holds CONDITION...: as test(1) has it.
holds() {
    checks=$((checks + 1))
    [ "$@" ] || fail "not so: $*"
}

end_checks() {
    echo "$checks checks, $failures failures"
    [ $failures = 0 ] && [ $checks -gt 0 ]
}
