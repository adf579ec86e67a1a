#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# COUNT inputs of three bugs under three policy rows become exactly three open buckets with minimised scenarios, within SECONDS.
#   three.sh FAULTLINE MAKE-ARTIFACTS CORE COUNT SECONDS
set -uo pipefail
program=$1 make=$2 core=$3 count=$4 limit=$5
# shellcheck source=tests/triage/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

"$make" "$core" "$work/inputs" "$count" fault prefetch vmalloc || fail "no inputs"
n=$(find "$work/inputs" -type f | wc -l)
[ "$n" = "$count" ] || fail "$n inputs, expected $count"

before=$(date +%s%N)
expect 1 '' --dir "$work/dir" --jobs 2 --core "$core" "$work/inputs"
took=$(($(date +%s%N) - before))
says "^$count files: 3 new buckets, $((count - 3)) more of known ones, 0 taken before, 0 show nothing"
[ $took -lt $((limit * 1000000000)) ] || fail "it took $((took / 1000000)) ms, $limit s are allowed"
[ "$(open_buckets "$work/dir")" = 3 ] || fail "$(open_buckets "$work/dir") buckets are open, expected 3"
total=0
for key in decision/retry-killed-kernel/no-context/fatal-signal prefetch/rule/ignored/not-ignored \
    sync/current-copy/flushed/not-flushed; do
    bucket "$work/dir" "$key" open
    scenario=$work/dir/findings/${key//\//_}.scn
    grep -q '^# minimised: ' "$scenario" || fail "$scenario is not minimised"
    records=$(sed -n 's/^# minimised: \([0-9]*\) records of.*/\1/p' "$scenario")
    [ "${records:-99}" -le 4 ] || fail "$key has $records records"
    "$program" repro -q --core "$core" "$scenario" >"$work/repro"
    grep -qF "DIVERGENCE $key" "$work/repro" || fail "repro of $scenario does not show $key"
    "$program" repro -q "$scenario" >"$work/repro" || fail "$scenario diverges under the right core"
    total=$((total + $("$program" triage --list --dir "$work/dir" | awk -v key="$key" '$NF == key {print $3}')))
    checks=$((checks + 5))
done
[ $total = "$count" ] || fail "counts add up to $total, expected $count"
[ "$(find "$work/dir/artifacts" -type f | wc -l)" -le 60 ] || fail "more than 20 artifacts of a bucket are kept"

# The same once more: nothing is new, nothing counts twice.
expect 1 '' --dir "$work/dir" --core "$core" "$work/inputs"
says "^$count files: 0 new buckets, 0 more of known ones, $count taken before"
echo "$count inputs in $((took / 1000000)) ms"
finish three 20
