#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two AFL++ instances of a campaign beside two bare ones, on the same targets: executions per second, in turns, for the same time.
#   campaign-afl.sh ROOT BUILD [SECONDS [ROUNDS]]
set -euo pipefail
root=$1 build=$2 seconds=${3:-30} rounds=${4:-3}
floor=0.85
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FAULTLINE_ROOT=$root FAULTLINE_BUILD=$build
program=$build/gcc/tools/faultline
targets="walk vmalloc"

if [ ! -x "$build/afl/fuzz/fl-walk" ] || ! command -v afl-fuzz >/dev/null; then
    echo "campaign-afl: no build for AFL++: left out"
    exit 77
fi
# Executions per second of all instances together, over the time that each of them ran: starting up is none of it.
executions() { # STATS-FILE...
    awk '/^run_time/ { t = $3 } /^execs_done/ { n += t ? $3 / t : 0 } END { printf "%d\n", n }' "$@"
}
# Both begin with the same seeds.
"$program" campaign start --engine afl --target "${targets// /,}" --jobs 2 --time 2 --foreground "$work/seeds" >/dev/null 2>&1
bare() {
    local t
    for t in $targets; do
        AFL_CUSTOM_MUTATOR_LIBRARY=$build/gcc/fuzz/libfl-mutator-$t.so AFL_CUSTOM_MUTATOR_ONLY=1 AFL_NO_UI=1 \
            AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FAST_CAL=1 \
            FAULTLINE_EXECUTOR=1 \
            afl-fuzz -i "$work/seeds/seeds" -o "$work/bare-$1-$t" -M main -V "$seconds" -m none -t 5000 -s 1 \
            -- "$build/afl/fuzz/fl-$t" >/dev/null 2>&1 &
    done
    wait
    executions "$work/bare-$1"-*/main/fuzzer_stats
}
campaign() {
    "$program" campaign start --engine afl --target "${targets// /,}" --jobs 2 --time "$seconds" --seed 1 --foreground \
        "$work/campaign-$1" >/dev/null 2>"$work/log"
    executions "$work/campaign-$1"/afl-v*/*/main/fuzzer_stats
}
all_bare=0 all_campaign=0
for ((i = 1; i <= rounds; i++)); do
    b=$(bare "$i") c=$(campaign "$i")
    echo "round $i: bare $b, campaign $c executions per second over $seconds s"
    all_bare=$((all_bare + b)) all_campaign=$((all_campaign + c))
done
[ "$all_bare" -gt 0 ]
awk -v b="$all_bare" -v c="$all_campaign" -v floor="$floor" 'BEGIN {
    printf "campaign / bare: %.2f (at least %.2f)\n", c / b, floor
    exit !(c / b >= floor)
}'
