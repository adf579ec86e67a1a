#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# AFL++: executions per CPU-second (fuzzer and target together) of the empty target and of target walk with one-event
# inputs, no executor and decision counters off; then with them on. Goal: walk at least 0.9 of the floor.
#   afl-floor.sh EMPTY WALK
#
# afl-fuzz kills its targets, and nobody who is asked by `time` waits for them: their CPU time would be lost. So it is
# read from /proc while everything is stopped: afl-fuzz, its fork server and the target, and whom they have waited for.
# All on one CPU: waking the other side of the pipe up on another, idle one costs more than an execution, or does not, as
# the scheduler likes.
set -euo pipefail
empty=$1 walk=$2
seconds=${SECONDS_EACH:-4} rounds=${ROUNDS:-3}
cpu=${CPU:-$(awk '$1 == "Cpus_allowed_list:" { n = split($2, f, /[-,]/); print f[n] }' /proc/self/status)}
work=$(mktemp -d)
fuzzer=
trap '[ -z "$fuzzer" ] || kill -KILL "$fuzzer" 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir "$work/in"
{
    head -c 64 /dev/zero
    printf '\x0b'
    head -c 31 /dev/zero
} >"$work/in/one"
export AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FAST_CAL=1
export FAULTLINE_EXECUTOR=0

# CPU ticks that a process, its descendants and the children that they waited for have used.
ticks() { # PID
    # After the name, which is in parentheses and may hold anything: state, parent (2nd), user and system time (12th and
    # 13th), the same of children waited for (14th and 15th).
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$1" '
        { pid = $1; sub(/^.*\) /, ""); split($0, f, " "); parent[pid] = f[2]; used[pid] = f[12] + f[13] + f[14] + f[15] }
        END {
            for (pid in used) {
                for (p = pid; p != root && p in parent; p = parent[p]) {}
                if (p == root)
                    sum += used[pid]
            }
            print sum + 0
        }'
}

rate() { # NAME PROGRAM: afl-fuzz for a while
    local name=$1 program=$2 out=$work/out used execs
    rm -rf "$out"
    taskset -c "$cpu" afl-fuzz -i "$work/in" -o "$out" -m none -t 1000 -G 96 -- "$program" >"$work/log" 2>&1 &
    fuzzer=$!
    sleep "$seconds"
    # Stopped for good: the target waits for its next input, and afl-fuzz ends before it makes many more.
    if ! kill -STOP "$fuzzer" 2>/dev/null; then
        cat "$work/log" >&2
        exit 1
    fi
    sleep 0.1
    used=$(ticks "$fuzzer")
    kill -INT "$fuzzer"
    kill -CONT "$fuzzer"
    wait "$fuzzer" || :
    fuzzer=
    execs=$(awk '$1 == "execs_done" {print $3}' "$out/default/fuzzer_stats")
    awk -v e="$execs" -v t="$used" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.0f\n", e * hz / t }' >>"$work/$name"
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
