#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How faultline fuzz treats what engines do: a stand-in for fl-walk plays each case.
#   fuzz.sh ROOT FAULTLINE
# shellcheck disable=SC2016 # the stand-in's script expands its variables itself
set -uo pipefail
root=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0
build=$work/build
mkdir -p "$build/libfuzzer/fuzz" "$build/afl/fuzz"
export FAULTLINE_ROOT=$root FAULTLINE_BUILD=$build

fail() {
    failures=$((failures + 1))
    echo "FAIL: $case: $*" >&2
    sed 's/^/    | /' "$work/err" | tail -n 5 >&2
}
check() { # WHAT COMMAND...
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}
# engine SCRIPT-LINES: the stand-in. $prefix is where artifacts go, judged says that so many events were judged.
engine() {
    cat >"$build/libfuzzer/fuzz/fl-walk" <<SCRIPT
#!/usr/bin/env bash
for argument; do case \$argument in -artifact_prefix=*) prefix=\${argument#*=} ;; esac; done
# the fourth counter of struct fl_stats
judged() { printf '\\\\x%02x' "\$1" | xargs -0 printf | dd of="\$FAULTLINE_STATS" bs=1 seek=24 conv=notrunc 2>/dev/null; }
# and the third: an executor is at work
inside() { printf '\\x01' | xargs -0 printf | dd of="\$FAULTLINE_STATS" bs=1 seek=16 conv=notrunc 2>/dev/null; }
$1
SCRIPT
    chmod +x "$build/libfuzzer/fuzz/fl-walk"
}
# run CODE ARGUMENT...
run() {
    local want=$1 got
    shift
    "$program" fuzz --target walk --no-executor --time 2 "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$want" ] || fail "exit code $got, expected $want"
}

case="an engine that ends well"
engine 'judged 9; exit 0'
run 0
check "counts in the summary" grep -q '9 events judged' "$work/out"

case="an engine that judged nothing"
engine 'exit 0'
run 3
check "says so" grep -q 'judged no event' "$work/err"

case="an engine that does not start"
engine 'echo "faultline: target walk cannot start: no moon"; exit 3'
run 3
check "its last words" grep -q 'no moon' "$work/err"

case="an engine that is killed"
engine 'judged 9; kill -KILL $$'
run 3
check "says so" grep -q 'signal 9' "$work/err"

case="a finding without an input"
engine 'judged 9; exit 77'
run 3
check "says so" grep -q 'left no input' "$work/err"

case="an input that the replay does not confirm"
engine 'judged 9; [ -e "$prefix/done" ] && exit 0; : >"$prefix/done"; printf abc >"${prefix}crash-1"; exit 77'
run 1
check "stored as text" test -s "$build/fuzz/findings/unreproduced_walk.scn"
check "a scenario" "$program" show "$build/fuzz/findings/unreproduced_walk.scn" >/dev/null
check "the input is kept" test -s "$build/fuzz/artifacts/walk-libfuzzer-0-crash-1"
rm -rf "$build/fuzz"

case="a process that died inside the executor"
engine 'judged 9; [ -e "$prefix/done" ] && exit 0; : >"$prefix/done"; inside; printf abc >"${prefix}crash-5"; exit 77'
run 0
check "left aside" test -s "$build/fuzz/left-aside/executor-crash_unicorn_unreproduced.scn"
rm -rf "$build/fuzz"

case="an input that looks like a text"
engine 'judged 9; [ -e "$prefix/done" ] && exit 0; : >"$prefix/done"; printf "faultline-scenario 1 nonsense" >"${prefix}crash-2"; exit 77'
run 1
check "stored" test -s "$build/fuzz/findings/unreproduced_walk.scn"
rm -rf "$build/fuzz"

case="a limit that the replay does not meet"
engine 'judged 9; [ -e "$prefix/done" ] && exit 0; : >"$prefix/done"; printf abc >"${prefix}timeout-1"; exit 77'
run 0
check "left aside" test -s "$build/fuzz/left-aside/unreproduced_limit_walk.scn"
rm -rf "$build/fuzz"

case="an input that a killed campaign left"
engine 'judged 9; exit 0'
mkdir -p "$build/fuzz/tasks-v3/walk-libfuzzer-0"
printf abc >"$build/fuzz/tasks-v3/walk-libfuzzer-0/crash-3"
run 1
check "taken up" test -s "$build/fuzz/findings/unreproduced_walk.scn"
rm -rf "$build/fuzz"

case="a folder for findings that cannot be written"
engine 'judged 9; [ -e "$prefix/done" ] && exit 0; : >"$prefix/done"; printf abc >"${prefix}crash-4"; exit 77'
mkdir -p "$build/fuzz"
: >"$build/fuzz/findings"
run 3
check "the input stays" test -s "$build/fuzz/tasks-v3/walk-libfuzzer-0/crash-4"
check "says where" grep -q 'the input stays at' "$work/err"
rm -rf "$build/fuzz"

case="two campaigns in one folder"
engine 'judged 9; sleep 2; exit 0'
"$program" fuzz --target walk --no-executor --time 3 >/dev/null 2>&1 &
first=$!
sleep 0.7
run 2
check "one line" test "$(wc -l <"$work/err")" = 1
check "says so" grep -q 'another campaign' "$work/err"
checks=$((checks + 1))
wait "$first" || fail "the first campaign was disturbed"

case="interrupted"
engine 'judged 9; sleep 30; exit 0'
"$program" fuzz --target walk --no-executor --time 30 >"$work/out" 2>"$work/err" &
first=$!
sleep 0.7
kill -INT "$first"
checks=$((checks + 1))
wait "$first" || fail "exit code $?"
check "a summary all the same" grep -q 'events judged' "$work/out"
check "no child is left" test -z "$(pgrep -f "$build/libfuzzer/fuzz/fl-walk")"

echo "fuzz: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -gt 25 ]
