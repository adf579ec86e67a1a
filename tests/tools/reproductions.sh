#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every scenario of corpus/reproductions replays clean and ends as its .expect file says. What needs an executor is left
# out, and said to be, where none is built in.
# usage: reproductions.sh ROOT FAULTLINE
set -u
folder=$1/corpus/reproductions faultline=$2
compared=0 failed=0 left_out=0

complain() {
    echo "$1"
    failed=$((failed + 1))
}

for expect in "$folder"/*.expect; do
    [ -e "${expect%.expect}.scn" ] || complain "$expect: no scenario beside it"
done
for scn in "$folder"/*.scn; do
    expect=${scn%.scn}.expect
    if [ ! -s "$expect" ]; then
        complain "$scn: no ${expect##*/} beside it"
        continue
    fi
    if ! output=$("$faultline" repro --endings "$scn" 2>&1); then
        complain "$scn: $output"
        continue
    fi
    if [[ $output == "executor: none"* ]] && grep -q '^exec ' "$scn"; then
        left_out=$((left_out + 1))
        continue
    fi
    diff -u "$expect" <(grep '^record ' <<<"$output") || failed=$((failed + 1))
    compared=$((compared + 1))
done
echo "$compared reproductions compared, $failed failed, $left_out left out for want of an executor"
[ "$failed" = 0 ] && [ "$compared" -gt 0 ]
