#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything of a campaign is killed, again and again, at moments of a fixed sequence: what was said is still there.
#   kill.sh ROOT BUILD CORE [TIMES]
# BUILD: the folder of the builds; CORE: one with bugs.
set -uo pipefail
root=$1 build=$2 core=$3 times=${4:-20}
work=$(mktemp -d)
dir=$work/campaign
export FAULTLINE_ROOT=$root FAULTLINE_BUILD=$build
program=$build/gcc/tools/faultline
failures=0 said=0

for engine in libfuzzer afl; do
    if [ ! -x "$build/$engine/fuzz/fl-fault" ]; then
        echo "kill: no build for $engine: left out"
        exit 77
    fi
done

processes() {
    {
        grep -lazF "FAULTLINE_CAMPAIGN=$dir" /proc/[0-9]*/environ
        # The pattern through a file: grep's own command line is not to have it.
        grep -lazxF -f <(printf '%s' "$dir") /proc/[0-9]*/cmdline
    } 2>/dev/null | cut -d/ -f3 | sort -u
}
# Until nobody is left: one that is killed may have started another just before.
kill_all() {
    local i
    for i in 1 2 3 4 5; do
        [ -n "$(processes)" ] || return 0
        processes | xargs -r kill -KILL 2>/dev/null
        sleep 0.2
    done
}
# shellcheck disable=SC2317 # the trap's
clean_up() {
    kill_all
    rm -rf "$work"
}
trap clean_up EXIT
fail() {
    failures=$((failures + 1))
    echo "FAIL: kill $i: $*" >&2
    tail -n 10 "$dir/log" >&2
}
buckets() { "$program" campaign stop --json "$dir" 2>/dev/null | sed -n 's/.*"key": "\(.*\)".*/\1/p' | sort -u; }
# What the log has said so far, as keys with their files.
spoken() { sed -nE 's/.*: (finding|left aside) ([^ ]+) .*: (.*\.scn)$/\2 \3/p' "$dir/log" "$dir/log.1" 2>/dev/null | sort -u; }
inputs() { find "$dir"/corpus-v*/ -type f | wc -l; }
merges() { cat "$dir/log" "$dir/log.1" 2>/dev/null | grep -c 'inputs became'; }

i=0
"$program" campaign start --core "$core" --jobs 2 "$dir" >"$work/out" || fail "it does not start"
random=12345 before=0 had=0 merged=0
for ((i = 1; i <= times; i++)); do
    # 0.10 to 8.09 seconds.
    random=$(((random * 1103515245 + 12345) % 2147483648))
    sleep "$(printf '%d.%02d' $((random / 65536 % 8)) $((random / 256 % 90 + 10)))"
    kill_all
    [ -z "$(processes)" ] || fail "somebody is left"
    spoken >"$work/spoken"
    buckets >"$work/buckets"
    while read -r key file; do
        said=$((said + 1))
        grep -qxF "$key" "$work/buckets" || fail "$key was said and is not in the store"
        [ -s "$file" ] || fail "$file was said and is not there"
        "$program" show "$file" >/dev/null || fail "$file is no scenario"
    done <"$work/spoken"
    [ "$(wc -l <"$work/spoken")" -ge "$before" ] || fail "the log has lost a finding"
    before=$(wc -l <"$work/spoken")
    # Only a merge makes the corpus much smaller; libFuzzer takes away what a shorter input stands for. One that put its result
    # in place and was killed before it said so left its folder.
    now=$(inputs)
    [ $((now * 10)) -ge $((had * 9)) ] || [ "$(merges)" -gt "$merged" ] || [ -d "$dir/merge/new" ] ||
        fail "of $had inputs there are $now, and no merge"
    had=$now merged=$(merges)
    "$program" campaign resume "$dir" >"$work/out" 2>&1 || { fail "it does not go on: $(tail -n 1 "$work/out")"; break; }
done
sleep 3
"$program" campaign stop "$dir" >"$work/out" 2>&1
[ $? = 1 ] || fail "the end: exit code is not 1"
buckets >"$work/buckets"
while read -r key file; do
    grep -qxF "$key" "$work/buckets" || fail "$key is lost at the end"
done < <(spoken)
[ -z "$(processes)" ] || fail "somebody is left at the end"
[ "$(inputs)" -gt 0 ] || fail "no inputs are kept"
# Those that were passed on are whole at once.
[ -z "$(find "$dir"/corpus-v*/ -type f -regex '.*/[0-9a-f]*' ! -name '?????????????????????????????????*' -size 0)" ] || fail "inputs are empty"
echo "kill: $times times, $(spoken | wc -l) findings said, looked for $said times, $(inputs) inputs kept, $failures failures"
[ $failures = 0 ] && [ $said -ge "$times" ]
