#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# AFL++: executions per CPU-second (fuzzer and target together) of the empty target and of target walk with one-event
# inputs, no executor and decision counters off; then with them on. Goal: walk at least 0.9 of the floor.
#   afl-floor.sh EMPTY WALK
set -euo pipefail
empty=$1 walk=$2
seconds=${SECONDS_EACH:-6} rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/in"
{
    head -c 64 /dev/zero
    printf '\x0b'
    head -c 31 /dev/zero
} >"$work/in/one"
export AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FAST_CAL=1
export FAULTLINE_EXECUTOR=0

rate() { # NAME PROGRAM: afl-fuzz for a while; its executions over all the CPU time it and the target used
    local name=$1 program=$2 out=$work/out TIMEFORMAT='%U %S' used execs
    rm -rf "$out"
    used=$({ time afl-fuzz -i "$work/in" -o "$out" -V "$seconds" -m none -t 1000 -G 96 -- "$program" \
        >"$work/log" 2>&1; } 2>&1 | awk '{print $1 + $2}')
    execs=$(awk '$1 == "execs_done" {print $3}' "$out/default/fuzzer_stats")
    awk -v e="$execs" -v s="$used" 'BEGIN { printf "%.0f\n", e / s }' >>"$work/$name"
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

for ((i = 0; i < rounds; i++)); do
    rate empty "$empty"
    FAULTLINE_CELLS=0 rate off "$walk"
    rate on "$walk"
done
awk -v a="$(median "$work/empty")" -v b="$(median "$work/off")" -v c="$(median "$work/on")" '
    BEGIN {
        printf "afl++ empty target                     %7d executions per CPU-second (the floor)\n", a
        printf "afl++ walk, one event, cells off       %7d   ratio %.2f, goal 0.90 %s\n", b, b / a, (b / a >= 0.9 ? "met" : "MISSED")
        printf "afl++ walk, one event, cells on        %7d   ratio %.2f\n", c, c / a }'
