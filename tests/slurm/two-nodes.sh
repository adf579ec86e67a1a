#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The two-node Slurm that the other test here uses does what its name says: jobs, arrays, dependencies, signals before the
# time limit is up, and what ran on a node that is lost starts again elsewhere.
#   two-nodes.sh ROOT
set -u
root=${1:-$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)}
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
state_is() { [ "$(job_state "$1")" = "$2" ]; }
lines() { [ "$(cat "$@" 2>/dev/null | wc -l)" = "$lines_wanted" ]; }
submit() { sbatch --parsable --open-mode=append --chdir="$CLUSTER" "$@"; }

cluster_start
cd "$CLUSTER" || exit 2

# The scripts' variables are theirs.
# shellcheck disable=SC2016
array=$(submit --array=0-7 --output=array-%a --wrap 'echo "$SLURM_ARRAY_TASK_ID $SLURMD_NODENAME"; sleep 0.3')
after=$(submit --dependency=afterany:"$array" --output=after --wrap 'cat array-* | sort')
check "a dependent job waits" state_is "$after" PENDING
check "a dependent job runs" wait_until 60 "the dependent job" state_is "$after" COMPLETED
lines_wanted=8
check "it comes after all tasks of the array" lines after
check "both nodes have worked" test "$(cut -d' ' -f2 after | sort -u | tr '\n' ' ')" = 'n1 n2 '

# shellcheck disable=SC2016
told=$(submit --signal=B:TERM@59 --time=1 --output=told --wrap 'trap "echo told; exit 0" TERM; while :; do sleep 0.2; done')
check "a signal before the time is up" wait_until 45 "the end after the signal" state_is "$told" COMPLETED
check "the batch shell has it" grep -qx told told

# Two that hold a node each; one node is lost and does not come back for now.
# shellcheck disable=SC2016
held=$(submit --array=1-2 --requeue --output=held-%a --wrap 'echo "$SLURMD_NODENAME ${SLURM_RESTART_COUNT:-0}"; until [ -e go ]; do sleep 0.1; done')
lines_wanted=2
check "both run" wait_until 20 "both to run" lines held-1 held-2
victim=$(grep -l n2 held-1 held-2)
check "one runs on n2" test -n "$victim"
kill_node 2
check "the processes of n2 are gone" test -z "$(cluster_steps 2)"
check "n1 goes on" test -n "$(cluster_steps 1)"
check "n2 counts as down" wait_until 40 "n2 to be down" node_is 2 down
touch go
check "its task runs again on the other" wait_until 60 "the requeued task" grep -qx 'n1 1' "${victim:-/dev/null}"
check "and ends" wait_until 20 "the end of the requeued task" state_is "${held}_${victim#held-}" COMPLETED
check "n2 comes back" restore_node 2
# shellcheck disable=SC2016
submit --nodelist=n2 --output=back --wrap 'echo "$SLURMD_NODENAME"' >/dev/null
check "and works" wait_until 20 "a job on n2" grep -qsx n2 back

folder=$CLUSTER version=$(sbatch --version)
cd / || exit 2
cluster_stop
check "nothing is left of it" test ! -e "$folder"
check "no process either" test -z "$(pgrep -f "$folder")"

echo "two-nodes: $checks checks, $failures failures, $version"
[ $failures = 0 ] && [ $checks = 17 ]
