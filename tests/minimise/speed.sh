#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Beside libFuzzer's own -minimize_crash on the same artifacts: at least ten times faster, and the result no larger.
# libFuzzer's time is the time until it began with what became its result: what it then tries in vain is not counted.
#   speed.sh FIND-BUGS ONE FL-TARGETS (CORE TARGET KEY)...
set -uo pipefail
find=$1 one=$2 targets=$3
shift 3
if [ ! -x "$targets/fl-fault" ]; then
    echo "there is no libFuzzer build at $targets: ./faultline fuzz makes one"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0 failures=0
fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

while [ $# -ge 3 ]; do
    core=$1 target=$2 key=$3
    shift 3
    rm -f "$work"/*
    : >"$work/log"
    if ! "$find" "$core" "$target" 200000 "$key" "$work/artifact" >/dev/null; then
        fail "$core does not show $key"
        continue
    fi
    began=$EPOCHREALTIME
    (cd "$work" && FAULTLINE_CORE=$core "$targets/fl-$target" -minimize_crash=1 -max_total_time=20 -seed=1 \
        -exact_artifact_path="$work/theirs" "$work/artifact" 2>&1) | while IFS= read -r line; do
        case $line in "CRASH_MIN: minimizing"*) printf '%s\n' "$EPOCHREALTIME" ;; *) printf '%s\n' "$line" >>"$work/log" ;; esac
    done >"$work/steps"
    ended=$EPOCHREALTIME
    if [ ! -s "$work/theirs" ]; then
        fail "libFuzzer has made nothing of $key: $(tail -n 1 "$work/log")"
        continue
    fi
    improved=$(tail -n 1 "$work/steps")
    read -r ms records bytes bits our_records our_bytes our_bits < <("$one" "$core" "$target" "$work/artifact" "$work/ours")
    read -r their_records their_bytes their_bits < <("$one" -m "$work/theirs")
    echo "$key: $records records, $bytes bytes, $bits bits"
    awk -v b="$began" -v i="$improved" -v e="$ended" -v ms="$ms" -v tr="$their_records" -v tb="$their_bytes" -v ti="$their_bits" \
        -v or="$our_records" -v ob="$our_bytes" -v oi="$our_bits" 'BEGIN {
        printf "  libFuzzer: %d records, %d bytes, %d bits after %.0f ms (%.1f s until it gave up)\n", tr, tb, ti, (i - b) * 1000, e - b
        printf "  minimise:  %d records, %d bytes, %d bits after %.1f ms: %.0f times as fast\n", or, ob, oi, ms, (i - b) * 1000 / ms
        exit !((i - b) * 1000 >= 10 * ms) }' || fail "less than ten times as fast"
    if [ "$our_records" -gt "$their_records" ] || [ "$our_bytes" -gt "$their_bytes" ] || [ "$our_bits" -gt "$their_bits" ]; then
        fail "the result is larger"
    fi
    compared=$((compared + 1))
done
echo "$compared artifacts compared, $failures failures"
[ "$failures" = 0 ] && [ "$compared" -gt 0 ]
