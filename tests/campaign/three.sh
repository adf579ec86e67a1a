#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Three bugs at once, all targets, both engines: after SECONDS exactly three buckets are open, one for each bug; AFL++ and
# libFuzzer have had each other's inputs, corpora were merged, and the folder is as small as it should be.
#   three.sh ROOT BUILD CORE SECONDS
set -uo pipefail
root=$1 build=$2 core=$3 seconds=$4
work=$(mktemp -d)
dir=$work/campaign
export FAULTLINE_ROOT=$root FAULTLINE_BUILD=$build
program=$build/gcc/tools/faultline
failures=0 checks=0

for engine in libfuzzer afl; do
    if [ ! -x "$build/$engine/fuzz/fl-fault" ]; then
        echo "three: no build for $engine: left out"
        exit 77
    fi
done
# shellcheck disable=SC2317 # the trap's
clean_up() {
    "$program" campaign stop "$dir" >/dev/null 2>&1
    rm -rf "$work"
}
trap clean_up EXIT
check() { # WHAT COMMAND...
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" && return
    failures=$((failures + 1))
    echo "FAIL: $what" >&2
}
finds() { ls "$@" >/dev/null 2>&1; }

# What AFL++ found is in the shared corpus under the name of its digest, until a merge gives it libFuzzer's.
# (Not through grep -q: it would end find by SIGPIPE, which pipefail takes for an answer.)
from_afl() {
    [ -n "$(find "$dir"/corpus-v* -type f -regextype posix-extended -regex '.*/[0-9a-f]{32}' -print -quit 2>/dev/null)" ]
}
passed_on=no
"$program" campaign start --core "$core" --foreground --time "$seconds" "$dir" >"$work/out" 2>"$work/log" &
campaign=$!
while kill -0 "$campaign" 2>/dev/null; do
    [ $passed_on = yes ] || ! from_afl || passed_on=yes
    sleep 1
done
wait "$campaign"
check "exit code 1" test $? = 1
"$program" campaign stop --json "$dir" >"$work/json" 2>/dev/null
open() { python3 -c '
import json, sys
for b in json.load(open(sys.argv[1]))["buckets"]:
    if b["status"] in ("open", "regression") and not b["left_aside"]:
        print(b["key"])' "$work/json" | sort; }
check "exactly three are open" test "$(open | wc -l)" = 3
check "retry-killed" sh -c "echo '$(open)' | grep -q 'decision/retry-killed'"
check "prefetch-window" sh -c "echo '$(open)' | grep -q 'prefetch'"
check "sync-flush" sh -c "echo '$(open)' | grep -q 'sync/'"
check "all minimised" sh -c "! grep -q '\"minimised\": false' '$work/json'"
check "nothing was set aside" sh -c "! grep -q 'set aside after' '$work/log'"
check "a merge" grep -q 'merge of .* became' "$work/log"
check "from AFL++ to libFuzzer" test $passed_on = yes
check "from libFuzzer to AFL++" sh -c "find '$dir'/afl-v* -name 'id:*' | grep -qE 'sync:|orig:[0-9a-f]{40}'"
[ $failures = 0 ] || { open; cat "$work/out"; tail -n 20 "$work/log"; } >&2
echo "three: $seconds s, $(open | wc -l) open buckets, $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -ge 9 ]
