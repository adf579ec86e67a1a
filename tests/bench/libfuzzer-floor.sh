#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libFuzzer: executions per CPU-second of the empty target and of target walk with one-event inputs and no executor, in
# turn, several times; the medians and their ratio. Goal: walk at least 0.4 of the floor.
#   libfuzzer-floor.sh EMPTY WALK SEED-SCN FAULTLINE
set -euo pipefail
empty=$1 walk=$2
rounds=${ROUNDS:-5} runs=${RUNS:-1500000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/in"
export FAULTLINE_EXECUTOR=0

# One machine of 64 bytes and one record of 32: an ACCESS event (kind 11) in an otherwise usual machine.
{
    head -c 64 /dev/zero
    printf '\x0b'
    head -c 31 /dev/zero
} >"$work/in/one"

# CPU seconds of a command, user and system.
cpu() {
    local TIMEFORMAT='%U %S'
    { time "$@" >/dev/null 2>"$work/log"; } 2>&1 | awk '{print $1 + $2}'
}
rate() { # NAME COMMAND...: executions per CPU-second, each time from the one input
    local name=$1 seconds
    shift
    rm -rf "$work/out"
    mkdir "$work/out" # libFuzzer writes what it finds to the first folder
    seconds=$(cpu "$@" "$work/out" "$work/in")
    awk -v r="$runs" -v s="$seconds" 'BEGIN { printf "%.0f\n", r / s }' >>"$work/$name"
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

for ((i = 0; i < rounds; i++)); do
    rate empty "$empty" -runs="$runs" -seed=$((i + 1)) -max_len=96
    rate walk "$walk" -runs="$runs" -seed=$((i + 1)) -max_len=96 -mutate_depth=5
    rate reruns "$walk" -runs="$runs" -seed=$((i + 1)) -max_len=256
done
a=$(median "$work/empty") b=$(median "$work/walk") c=$(median "$work/reruns")
awk -v a="$a" -v b="$b" -v c="$c" 'BEGIN {
    printf "libfuzzer empty target          %9d executions per CPU-second (the floor)\n", a
    printf "libfuzzer walk, one event       %9d   ratio %.2f, goal 0.40 %s\n", b, b / a, (b / a >= 0.4 ? "met" : "MISSED")
    printf "libfuzzer walk, up to 6 records %9d   ratio %.2f\n", c, c / a }'
