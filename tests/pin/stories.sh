#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The nine stories of pinning in corpus/regressions: the core of this tree passes each, the wrong rule that it tells of fails it
# with the key that it names; triage and promote take them as they take anything.
#   stories.sh ROOT FAULTLINE NUMBER:CORE...
set -uo pipefail
root=$1 program=$2
shift 2
# shellcheck source=tests/promote/common.sh
. "$root/tests/promote/common.sh"
corpus=$root/corpus/regressions
export FAULTLINE_ROOT=$work FAULTLINE_BUILD=$work/build
mkdir -p "$work/corpus/regressions"

# No story without its wrong core.
holds "$(grep -l '^# zoo: ' "$corpus"/*.scn | wc -l)" = $#
for pair; do
    number=${pair%%:*} core=${pair#*:}
    scn=$(echo "$corpus/$number"-*.scn)
    key=$(sed -n 's/^# without the fix: //p' "$scn")
    holds -n "$key"
    grep -qE '^# zoo: [a-z-]+\. Fixed in Linux by [0-9a-f]{12} \([0-9]{4}\)' "$scn" || fail "$number: which bug?"
    run 0 repro "$scn"
    run 1 repro --core "$core" "$scn"
    says "DIVERGENCE $key\$"

    run 1 triage --dir "$work/$number" --no-executor --core "$core" "$scn"
    run 1 triage --dir "$work/$number" --core "$core" --list --json
    says "\"key\": \"$key\""
    says '"severity": "(critical|high)"'
    if grep -q '"of a kind that has no rule yet"' "$work/out"; then fail "$number: no severity"; fi
    run 0 promote "$key" --dir "$work/$number" --no-executor --core "$core" --number "$((10#$number))" --slug story
    minimised=$work/corpus/regressions/$number-story.scn
    run 1 repro --core "$core" "$minimised"
    says "DIVERGENCE $key\$"
    run 0 repro "$minimised"
    holds "$(grep -cE '^(area|act|race|answer|pin) ' "$minimised")" -le "$(grep -cE '^(area|act|race|answer|pin) ' "$scn")"
done

# Dirty COW is a race: without it the wrong rule does what it should.
grep -v '^race ' "$corpus"/0015-*.scn >"$work/calm.scn"
run 0 repro --core "${1#*:}" "$work/calm.scn"

end_checks
