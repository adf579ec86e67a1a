#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long `faultline fuzz --target gup` takes to find the wrong rules of the nine stories, from seeds without a race.
#   found.sh ROOT BUILD FAULTLINE NUMBER:CORE...
# BUILD: the folder of the engines' builds; an engine that is not built is left out. The first core, Dirty COW, is looked for
# FOUND_RUNS times (10) by each engine and has to be found within FOUND_SECONDS (60) in all but a tenth of them; the others once.
set -uo pipefail
root=$1 build=$2 program=$3
shift 3
runs=${FOUND_RUNS:-10} seconds=${FOUND_SECONDS:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0 failures=0
unset FAULTLINE_CORE

# The regressions are seeds as well, and tell the stories themselves: here they are not.
export FAULTLINE_ROOT=$work/root FAULTLINE_BUILD=$build
mkdir "$work/root"
cp -r "$root/corpus" "$work/root"
grep -rlE '^pin ' "$work/root/corpus/regressions" | xargs rm -f
if grep -rlE '^(race|answer) ' "$work/root/corpus" >"$work/raced"; then
    echo "FAIL: seeds with a race or an answer: $(cat "$work/raced")" >&2
    failures=1
fi

# look ENGINE CORE KEY SEED: leaves the milliseconds until the key was there in $took; false: it was not in time.
# (Any key of that row counts: which of a file's page, a zero page and a forked one comes first is chance.)
look() {
    local out=$work/$1-${2##*/}-$4 from pid now
    from=$(date +%s%N)
    "$program" fuzz --target gup --engine "$1" --core "$2" --time "$seconds" --seed "$4" --out "$out" \
        >"$work/log" 2>&1 </dev/null &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        grep -qsF "# finding: ${3%/*}/" "$out"/findings/*.scn && break
        sleep 0.1
    done
    now=$(date +%s%N)
    kill -INT $pid 2>/dev/null
    wait $pid
    took=$(((now - from) / 1000000))
    grep -qsF "# finding: ${3%/*}/" "$out"/findings/*.scn
}

for engine in libfuzzer afl; do
    if [ ! -x "$build/$engine/fuzz/fl-gup" ]; then
        echo "$engine: not built"
        continue
    fi
    times=$runs
    for pair; do
        key=$(sed -n 's/^# without the fix: //p' "$root/corpus/regressions/${pair%%:*}"-*.scn)
        found=0 all=
        for ((i = 1; i <= times; i++)); do
            if look $engine "${pair#*:}" "$key" $i; then
                found=$((found + 1)) all="$all $took"
            else
                all="$all never"
                tail -n 3 "$work/log" >&2
            fi
        done
        echo "$engine ${pair%%:*} $key: $found of $times, ms:$all"
        compared=$((compared + 1))
        [ $((found * 10)) -ge $((times * 9)) ] || failures=$((failures + 1))
        times=1
    done
done

[ $compared -gt 0 ] || exit 77
echo "$compared rules looked for, $failures failures"
[ $failures = 0 ]
