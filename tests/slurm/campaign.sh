#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A campaign on a Slurm of two nodes, one of which is lost in the middle with all that runs on it. Nothing that a shard had
# written or said before that is missing in what the merge job makes of it:
#   inputs     each is in the whole, byte for byte, after a merge that keeps all; and the corpus of the end covers as much as
#              itself together with all of them (edges and features as libFuzzer counts them)
#   findings   each key that was said, or is in the shard's database, is a bucket of the whole, with no fewer artifacts
# Afterwards one that has no end is stopped.
#   campaign.sh ROOT FAULTLINE CORE    CORE: a shared object with the bugs "three"
set -u
root=$1 program=$2 core=$3
export FAULTLINE_ROOT=$root FAULTLINE_BUILD=${FAULTLINE_BUILD:-$(cd -P -- "$(dirname -- "$program")/../.." && pwd)}
# shellcheck source=tests/slurm/cluster.sh
. "$root/tests/slurm/cluster.sh"
checks=0 failures=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || {
        failures=$((failures + 1))
        echo "FAIL: $what" >&2
    }
}
for engine in libfuzzer afl; do
    [ -x "$FAULTLINE_BUILD/$engine/fuzz/fl-prefetch" ] ||
        cluster_skip "$FAULTLINE_BUILD/$engine is not built: ./faultline campaign start --help says how"
done
cluster_start
whole=$CLUSTER/campaign

state_is() { [ "$(job_state "$1")" = "$2" ]; }
# ask FOLDER EXPRESSION: of `campaign status --json` as s
ask() {
    "$program" campaign status --json "$1" >"$CLUSTER/status" 2>"$CLUSTER/status.err"
    python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$CLUSTER/status" "$2" 2>&1
}
# The state of a shard as the whole knows it.
shard_state() { ask "$whole" "[p['state'] for p in s['shards'] if p['number'] == $1][0]"; }
host_of() { ask "$whole" "[p['host'] for p in s['shards'] if p['number'] == $1][0]"; }
inputs_of() { # FOLDER...: digests of all inputs, each once
    find "$@" \( -path '*/corpus-v*/*' -o -path '*/afl-v*/queue/id:*' \) -type f ! -name '.*' -exec sha256sum {} + 2>/dev/null |
        cut -d' ' -f1 | sort -u
}
has_begun() { # SHARD: something to lose: inputs of both engines, and a finding
    [ "$(find "$whole/shards/$1/" -path '*/corpus-v*/*' -type f 2>/dev/null | wc -l)" -gt 20 ] &&
        [ -n "$(find "$whole/shards/$1/findings" -name '*.scn' -print -quit 2>/dev/null)" ] &&
        grep -q 'finding ' "$whole/slurm/shard-$1.log"
}
on_node() { # NODE: the running shard of this node
    squeue -h -r -t RUNNING -n faultline-shard -w "n$1" -o %K 2>/dev/null | head -n 1
}
runs_on() { victim=$(on_node "$1") && [ -n "$victim" ]; }
refused() { ! "$program" campaign start --slurm "$whole" >/dev/null 2>"$CLUSTER/again"; }
queued_again() { [[ $(job_state "${shards}_$victim") =~ ^(PENDING|RUNNING)$ ]]; }
has_finding() { [ -n "$(find "$whole/shards/$victim/findings" -name '*.scn' -print -quit 2>/dev/null)" ]; }
said_findings() { [ $code = 1 ] && grep -q 'open findings' "$CLUSTER/stop.out"; }
# coverage FOLDER...: "EDGES FEATURES" of a target's inputs; a core without instrumentation has features only
coverage() {
    FAULTLINE_CORE=$core FAULTLINE_KNOWN=$whole/known "$FAULTLINE_BUILD/libfuzzer/fuzz/fl-$target" -runs=0 "$@" 2>&1 |
        sed -nE 's/.*INITED (cov: ([0-9]+) )?ft: ([0-9]+).*/edges \2, features \3/p' | tail -n 1
}

# ---- a node is lost

"$program" campaign start --slurm --shards 3 --time 45 --target prefetch,vmalloc --core "$core" --min-free 64M "$whole" \
    >"$CLUSTER/start.out" || { echo "FAIL: start"; cat "$CLUSTER"/start.out; exit 1; }
shards=$(sed -n 's/.*shards: *job \([0-9]*\).*/\1/p' "$CLUSTER/start.out")
merge=$(sed -n 's/.*merging: *job \([0-9]*\).*/\1/p' "$CLUSTER/start.out")
check "the merge job waits" state_is "$merge" PENDING
check "a second start in the folder is refused" refused
check "a shard runs on n2" wait_until 60 "a shard on n2" runs_on 2
check "it has something to lose" wait_until 120 "findings and inputs of shard $victim" has_begun "$victim"
check "status shows it at work" test "$(shard_state "$victim") $(host_of "$victim")" = "RUNNING n2"

kill_node 2
lost=$whole/shards/$victim
check "nothing works in its folder" test -z "$(cluster_steps 2)"
inputs_of "$lost" >"$CLUSTER/inputs"
cp -r "$lost" "$CLUSTER/lost"
sed -n 's/.*: finding \([^ ]*\) .*/\1/p' "$whole/slurm/shard-$victim.log" | sort -u >"$CLUSTER/said"
ask "$CLUSTER/lost" "'\n'.join(str(b['count']) + ' ' + b['key'] for b in s['findings'])" >"$CLUSTER/buckets"
check "inputs to look for: $(wc -l <"$CLUSTER/inputs")" test "$(wc -l <"$CLUSTER/inputs")" -gt 20
check "findings to look for: $(wc -l <"$CLUSTER/said")" test -s "$CLUSTER/said"
while read -r key; do
    check "what was said is in its database: $key" grep -qF " $key" "$CLUSTER/buckets"
done <"$CLUSTER/said"

# While the other node's shard writes.
"$program" campaign merge --keep-all "$whole" >"$CLUSTER/merge.out" 2>"$CLUSTER/merge.err"
check "a merge while a shard works" test $? -le 1
inputs_of "$whole"/corpus-v* >"$CLUSTER/joined"
check "every input of the lost shard is in the whole" test -z "$(comm -23 "$CLUSTER/inputs" "$CLUSTER/joined")"

check "n2 counts as down" wait_until 40 "n2 to be down" node_is 2 down
check "its shard is queued again" wait_until 20 "the requeue" queued_again
check "n2 comes back" restore_node 2
check "all shards and the merge end" wait_until 300 "the merge job" state_is "$merge" COMPLETED

check "status knows all shards: $(ask "$whole" "[p['state'] for p in s['shards']]")" \
    test "$(ask "$whole" "[p['state'] for p in s['shards']]")" = "['COMPLETED', 'COMPLETED', 'COMPLETED']"
check "the lost shard went on with what it had" test "$(ask "$lost" "s['supervisor']['run'] >= 2 and s['supervisor']['ran_seconds'] >= 44")" = True
check "figures of all shards" test "$(ask "$whole" "s['totals']['executions'] > 0 and len(set(j['name'].split('/')[0] for j in s['jobs'])) == 3")" = True
ask "$whole" "'\n'.join(str(b['count']) + ' ' + b['key'] for b in s['findings'])" >"$CLUSTER/merged"
while read -r count key; do
    got=$(awk -v key="$key" '$2 == key { print $1 }' "$CLUSTER/merged")
    check "$key: $count artifacts, then ${got:-none}" test "${got:-0}" -ge "$count"
done <"$CLUSTER/buckets"
check "each bucket has its text" test "$(ask "$whole" "all(__import__('os').path.exists(s['folder'] + '/' + b['file']) for b in s['findings'])")" = True

compared=0
for target in prefetch vmalloc; do
    own=("$whole"/corpus-v*/"$target")
    mkdir -p "$CLUSTER/both-$target"
    cp "${own[0]}"/* "$CLUSTER/both-$target/"
    while read -r file; do
        cp "$file" "$CLUSTER/both-$target/lost-$(sha256sum "$file" | cut -c1-32)"
    done < <(find "$CLUSTER/lost" \( -path "*/corpus-v*/$target/*" -o -path "*/afl-v*/$target/*/queue/id:*" \) -type f)
    alone=$(coverage "${own[0]}")
    both=$(coverage "$CLUSTER/both-$target")
    check "$target: the corpus of the end covers $alone, with what was lost $both" test -n "$alone" -a "$alone" = "$both"
    compared=$((compared + $(find "$CLUSTER/both-$target" -name 'lost-*' | wc -l)))
done
check "inputs were compared: $compared" test "$compared" -gt 20
"$program" campaign merge "$whole" >/dev/null 2>&1
ask "$whole" "'\n'.join(str(b['count']) + ' ' + b['key'] for b in s['findings'])" >"$CLUSTER/again"
check "merging again finds the same" cmp -s "$CLUSTER/merged" "$CLUSTER/again"

# ---- one without an end is stopped

whole=$CLUSTER/endless
"$program" campaign start --slurm --shards 3 --target prefetch --core "$core" --engine libfuzzer --min-free 64M "$whole" \
    >"$CLUSTER/start.out" || echo "FAIL: start" >&2
endless=$(sed -n 's/.*shards: *job \([0-9]*\).*/\1/p' "$CLUSTER/start.out")
check "it runs" wait_until 60 "a shard" runs_on 1
check "it works" wait_until 60 "a finding of shard $victim" has_finding
"$program" campaign stop "$whole" >"$CLUSTER/stop.out" 2>&1
code=$?
check "stop says what was found (code $code)" said_findings
check "nothing runs any more" test -z "$(squeue -h -t RUNNING,PENDING,COMPLETING -o %i)"
check "those that ran ended well" state_is "${endless}_$victim" COMPLETED
check "what they found is merged" test "$(ask "$whole" "len(s['findings']) > 0")" = True
check "it goes on" "$program" campaign resume "$whole" >"$CLUSTER/resume.out"
check "and runs" wait_until 60 "a shard again" runs_on 1
"$program" campaign stop "$whole" >"$CLUSTER/stop.out" 2>&1

echo "slurm campaign: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -gt 30 ] || exit 1
echo "shard $victim lost $(wc -l <"$CLUSTER/inputs") inputs and" \
    "$(wc -l <"$CLUSTER/said") findings with its node, all of them are in the whole"
