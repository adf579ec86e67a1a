#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two bugs under one policy row, as docs/campaign.md says: one open bucket; when one is fixed, it stays open with an input of the
# other; when both are, it is fixed; when one comes back, it is a regression.
#   row.sh FAULTLINE MAKE-ARTIFACTS BOTH ONLY-STACKS OTHER
set -uo pipefail
program=$1 make=$2 both=$3 stacks=$4 other=$5
# shellcheck source=tests/triage/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
key=decision/write-denied/refused/served
scenario=$work/dir/findings/${key//\//_}.scn
core=$work/core.so # one name: another core would say nothing about this one

"$make" "$both" "$work/inputs" 150 fault || fail "no inputs"
cp "$both" "$core"
expect 1 '' --dir "$work/dir" --core "$core" "$work/inputs"
bucket "$work/dir" $key open
[ "$(open_buckets "$work/dir")" = 1 ] || fail "$(open_buckets "$work/dir") buckets are open, expected 1"
"$program" triage --list --dir "$work/dir" >"$work/list"
grep -q '^duplicate .*effect/mm-fault/never/once$' "$work/list" || fail "what follows is no duplicate: $(cat "$work/list")"
grep -q 'rule: ' "$work/list" || fail "duplicates have no reason"

# A write to what may only be read is refused now; stacks are still written to.
cp "$stacks" "$core"
expect 1 '' "$work/dir" --core "$core"
says '^1 show with another input than before: two bugs had one key$'
bucket "$work/dir" $key open
grep -q growsdown "$scenario" || fail "the scenario is not about a stack: $(cat "$scenario")"
"$program" repro -q --core "$core" "$scenario" >"$work/repro"
grep -qF "DIVERGENCE $key" "$work/repro" || fail "repro of $scenario does not show $key"

cp "$other" "$core"
expect 0 '' "$work/dir" --core "$core"
says '^1 are clean now: fixed$'
bucket "$work/dir" $key fixed
expect 0 '' "$work/dir" --core "$core"

# Under another core's name nothing is judged, and nothing changes.
expect 0 '' "$work/dir" --core "$both"
says 'cannot be judged here'
bucket "$work/dir" $key fixed

cp "$both" "$core"
expect 1 '' "$work/dir" --core "$core"
says '^1 are back: regressions$'
bucket "$work/dir" $key regression
finish row 15
