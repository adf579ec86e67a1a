#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every scenario of corpus/reproductions replays clean and ends as its .expect file says.
# usage: reproductions.sh ROOT FAULTLINE
set -u
folder=$1/corpus/reproductions faultline=$2
compared=0 failed=0

for scn in "$folder"/*.scn; do
    expect=${scn%.scn}.expect
    if [ ! -s "$expect" ]; then
        echo "$scn: no ${expect##*/} beside it"
        failed=$((failed + 1))
        continue
    fi
    if ! output=$("$faultline" repro --endings --quiet "$scn" 2>&1); then
        echo "$scn: $output"
        failed=$((failed + 1))
        continue
    fi
    if ! diff -u "$expect" <(grep '^record ' <<<"$output"); then
        failed=$((failed + 1))
    fi
    compared=$((compared + 1))
done
echo "$compared reproductions compared, $failed failed"
[ "$failed" = 0 ] && [ "$compared" -gt 0 ]
