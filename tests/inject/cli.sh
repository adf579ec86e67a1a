#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline inject as people meet it: what it finds in wrong cores and how that is told, exit codes, hostile files.
#   cli.sh ROOT FAULTLINE DIRTY_COW RETRY_KILLED CRASH
set -uo pipefail
root=$1 program=$2 dirty_cow=$3 retry_killed=$4 crash=$5
scenarios=$root/tests/inject/scenarios
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

# expect CODE PATTERN ARGUMENT...: exit code, and a pattern (extended regular expression) for standard output
expect() {
    local code=$1 pattern=$2 got
    shift 2
    "$program" inject "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "inject $*: exit code $got, expected $code: $(head -c 300 "$work/err")"
    grep -qE -- "$pattern" "$work/out" || fail "inject $*: says \"$(head -c 600 "$work/out")\", expected /$pattern/"
}

# refuse LINES PATTERN ARGUMENT...: exit code 2, and that many lines on standard error, one of which matches
refuse() {
    local lines=$1 pattern=$2 got
    shift 2
    "$program" inject "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = 2 ] || fail "inject $*: exit code $got, expected 2"
    grep -qE -- "$pattern" "$work/err" || fail "inject $*: standard error is \"$(head -c 300 "$work/err")\", expected /$pattern/"
    [ "$(wc -l <"$work/err")" = "$lines" ] || fail "inject $*: not $lines lines: $(head -c 400 "$work/err")"
}

# ---- the right core stands it
expect 0 'ok, 1 events, 8 op calls, 6 singles, 2 pairs \(7 hostile\)' "$scenarios/fast.scn"
expect 0 '9 singles, 0 pairs; 9 repetitions' --singles "$scenarios/kernel-retry.scn"
expect 0 '^1 files, 1 events, 19 op calls: 150 singles, 8250 pairs, 674 left out as the same; 8400 schedules in [0-9.]+ s, 0 findings$' \
    --preempt 2 -q "$scenarios/dirty-cow.scn"
expect 0 ' 100 pairs.* 8150 not run' --preempt 2 --pairs 100 "$scenarios/dirty-cow.scn"
expect 0 '0 findings' --jobs 2 "$scenarios"
expect 0 '0 findings' --sound --pairs 200 "$scenarios"

# The launcher's fuzz bytes are read as well as texts.
head -c 300 /dev/zero >"$work/bytes"
refuse 1 'nothing was injected' "$work/bytes"

# ---- Dirty COW, from a trace without a race
for bound in 1 2; do
    expect 1 'DIVERGENCE cow/write-pin/own-page/file-page' --core "$dirty_cow" --preempt $bound --out "$work/found" \
        "$scenarios/dirty-cow.scn"
    grep -q 'put in:   race dontneed 0x400000 at fatal-signal nth 2' "$work/out" ||
        fail "it is not said what was put in: $(cat "$work/out")"
done
found=$work/found/cow_write-pin_own-page_file-page.scn
"$program" repro -q --core "$dirty_cow" "$found" >"$work/out" 2>&1
[ $? = 1 ] || fail "repro does not find what was written: $(cat "$work/out")"
grep -q 'DIVERGENCE cow/write-pin/own-page/file-page' "$work/out" || fail "repro finds something else: $(cat "$work/out")"
"$program" repro -q "$found" >"$work/out" 2>&1 || fail "the right core does not stand what was written: $(cat "$work/out")"
checks=$((checks + 2))

# ---- two answers are needed: a fault to be tried again, and a signal then
expect 0 '9 singles, 0 pairs' --core "$retry_killed" --singles "$scenarios/kernel-retry.scn"
expect 1 'DIVERGENCE decision/retry-killed-kernel/no-context/fatal-signal' --core "$retry_killed" "$scenarios/kernel-retry.scn"
grep -q 'put in:   inject mm-retry$' "$work/out" || fail "the first answer is not told"
grep -q 'put in:   inject fatal-signal$' "$work/out" || fail "the second answer is not told"

# ---- a core that ends the process is a finding, and the file goes on
expect 1 'CRASH crash/all/signal-11' --core "$crash" --out "$work/crash" "$root/corpus/seeds/compat-and-vm86.scn" \
    "$scenarios/fast.scn"
grep -q 'fast.scn: ok, 1 events, 8 op calls, 6 singles, 2 pairs' "$work/out" || fail "the file behind the crash was not run"
[ -s "$work/crash/crash_all_signal-11.scn" ] || fail "the crash was not written"

# ---- JSON
expect 1 '"key": "cow/write-pin/own-page/file-page"' --json --preempt 1 --core "$dirty_cow" "$scenarios/dirty-cow.scn"
if command -v python3 >/dev/null; then
    checks=$((checks + 1))
    python3 - "$work/out" <<'PYTHON' || fail "the JSON does not say what the text says"
import json, sys
all = json.load(open(sys.argv[1]))
assert all["singles"] == 144 and all["pairs"] == 0 and all["preempt"] == 1, all
assert len(all["findings"]) == 1 and all["findings"][0]["reproduced"], all
assert all["findings"][0]["put_in"] == "race dontneed 0x400000 at fatal-signal nth 2\n", all
assert all["files"][0]["complete"] and all["files"][0]["diverged"], all
PYTHON
fi

# ---- usage and hostile files
refuse 3 'a FILE or folder is needed'
refuse 3 '"3" is not a whole number from 1 to 2' --preempt 3 "$scenarios/fast.scn"
refuse 3 '"few" is not a whole number' --pairs few "$scenarios/fast.scn"
refuse 1 'goes without --preempt' --preempt 1 --singles "$scenarios/fast.scn"
refuse 1 'nowhere: No such file' "$work/nowhere"
refuse 1 'nowhere.so' --core "$work/nowhere.so" "$scenarios/fast.scn"
printf 'faultline-scenario 3\nfrob\n' >"$work/bad.scn"
refuse 1 'bad.scn:2:1: ' "$work/bad.scn"
refuse 1 'bad.scn:2:1: ' "$work/bad.scn" "$scenarios/fast.scn" # the good one has its turn
grep -q 'fast.scn: ok' "$work/out" || fail "a bad file hides a good one"
head -c 5000000 /dev/zero >"$work/large.scn"
refuse 1 'larger than 4 MiB' "$work/large.scn"
mkdir "$work/empty"
refuse 1 'no files in these folders' "$work/empty"
refuse 1 'preceded by another actor' --preempt 1 "$root/corpus/seeds/la57.scn"
mkdir "$work/file-in-the-way" && : >"$work/file-in-the-way/x"
"$program" inject --core "$dirty_cow" --preempt 1 --out "$work/file-in-the-way/x/y" "$scenarios/dirty-cow.scn" \
    >"$work/out" 2>"$work/err"
[ $? = 1 ] || fail "a finding that cannot be written: not exit code 1"
grep -q 'cannot make this folder' "$work/err" || fail "nobody says that the finding could not be written"
checks=$((checks + 2))

echo "inject cli: $checks checks, $failures failures"
[ "$failures" = 0 ]
