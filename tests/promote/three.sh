#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Three bugs at once, from what engines left to regressions: artifacts are triaged into three buckets, each is promoted; after
# the fix the regressions hold; putting one bug back fails that regression by name.
#   three.sh ROOT FAULTLINE MAKE-ARTIFACTS THREE-CORE CLEAN-CORE RETRY-CORE WINDOW-CORE FLUSH-CORE
set -uo pipefail
root=$1 program=$2 make_artifacts=$3 three=$4 clean=$5 cores=("${@:6}")
# shellcheck source=tests/promote/common.sh
. "$root/tests/promote/common.sh"
export FAULTLINE_ROOT=$work FAULTLINE_BUILD=$work/build
corpus=$work/corpus/regressions dir=$work/build/campaign
mkdir -p "$corpus"
keys=(decision/retry-killed-kernel/no-context/fatal-signal prefetch/rule/ignored/not-ignored sync/current-copy/flushed/not-flushed)

# ---- artifacts, as two engines name theirs
"$make_artifacts" "$three" "$work/artifacts" 12 fault prefetch vmalloc >/dev/null 2>&1
holds "$(find "$work/artifacts" -type f | wc -l)" -ge 12
run 1 triage --dir "$dir" --core "$three" "$work/artifacts"

# ---- each key is one bucket, and is promoted
for key in "${keys[@]}"; do
    run 0 promote "$key" --core "$three"
    says "^promoted $key: "
done
holds "$(find "$corpus" -name '*.scn' | wc -l)" = 3
run 1 repro --regressions --core "$three"
says '^3 regressions: 0 hold, 3 do not'
holds "$(grep -c '^REGRESSION .* is not fixed yet: ' "$work/out")" = 3

# ---- the fix: this tree's core, in three builds
run 0 repro --regressions
run 0 promote --advance
for build in second third; do
    cp "$clean" "$work/$build.so" && echo $build >>"$work/$build.so"
    run 0 promote --advance --core "$work/$build.so"
done
holds "$(grep -c '^# state: regression since' "$corpus"/*.scn | grep -c ':1$')" = 3
holds "$(grep -c 'incomplete' "$corpus"/*.expect | grep -c ':0$')" = 3
run 0 repro --regressions
says '^3 regressions: 3 hold, 0 do not, 0 left out'
run 0 triage --list --dir "$dir" --json
holds "$(grep -c '"status": "fixed"' "$work/out")" = 3

# ---- one bug back: that one by name, and no other
for i in 0 1 2; do
    core=${cores[i]}
    number=$(basename "$(grep -l "^# finding: ${keys[i]}\$" "$corpus"/*.scn)" | cut -d- -f1)
    run 1 repro --regressions --core "$core"
    says "^REGRESSION $number is back: "
    says "^  key: +${keys[i]}\$"
    says '^3 regressions: 2 hold, 1 do not'
done
run 1 promote --advance --core "${cores[0]}"
run 1 triage --list --dir "$dir" --json
holds "$(grep -c '"status": "regression"' "$work/out")" = 1

end_checks
