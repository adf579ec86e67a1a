#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A core out of a shared object, through each door: repro --core, the targets' FAULTLINE_CORE, fuzz --core.
#   cores.sh FAULTLINE FIND-BUGS TARGETS GUARD-GAP CRASH PARTIAL
# TARGETS: the folder of fl-walk and the others. PARTIAL: a core with nothing but fault and prefetch, which ends the process in fault.
set -uo pipefail
program=$1 find=$2 targets=$3 guard_gap=$4 crash=$5 partial=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0
unset FAULTLINE_CORE

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
    tail -n 4 "$work/out" "$work/err" >&2
}
# run CODE COMMAND...
run() {
    local want=$1 got
    shift
    "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$want" ] || fail "$*: exit code $got, expected $want"
}
# dies CORE FILE: the target ends by a signal, or as a sanitizer ends what gets one.
dies() {
    local got
    (FAULTLINE_CORE=$1 "$targets/fl-fault" "$2") >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" -ge 128 ] || [ "$got" = 1 ] || fail "fl-fault under $1: exit code $got"
}
says() { # FILE TEXT
    checks=$((checks + 1))
    grep -qF -- "$2" "$work/$1" || fail "$1 does not say \"$2\""
}

key=decision/stack-guard-gap/refused/served
"$find" "$guard_gap" fault 100000 "$key" "$work/gap" >"$work/out" 2>"$work/err" || fail "no artifact"
"$find" "$crash" fault 100000 crash/fault/signal-11 "$work/null" >"$work/out" 2>"$work/err" || fail "no artifact"

run 0 "$program" repro "$work/gap"
run 1 "$program" repro --target fault --core "$guard_gap" "$work/gap"
says out "core: faultline ($guard_gap)"
says out "DIVERGENCE $key"
run 1 env FAULTLINE_CORE="$guard_gap" "$program" repro --target fault "$work/gap"
says out "DIVERGENCE $key"
run 1 "$program" repro --target fault --core "$crash" "$work/null" "$work/gap"
says out "CRASH crash/fault/signal-11"
says out "2 files"
run 1 "$program" repro --json --target fault --core "$crash" "$work/null"
says out '"key": "crash/fault/signal-11"'
run 2 "$program" repro --core "$work/none.so" "$work/gap"
says err "there is no such file"

# What a core lacks is said, and what it has runs.
cat >"$work/decode.scn" <<'SCN'
faultline-scenario 2
decode 64 user: 90
access read user 0x1000
SCN
run 0 "$program" repro --core "$partial" "$work/decode.scn"
says out "lacks walk, permits, sync_all, p3_sync"
says out "1 events judged, 1 skipped"
run 2 "$program" repro --target walk --core "$partial" "$work/decode.scn"
says err "lacks walk, permits, sync_all, p3_sync, fl_gup: target walk cannot run; it can run: fault, prefetch, vmalloc"

# The targets: the same entry point that the engines call.
run 0 "$targets/fl-fault" "$work/gap"
dies "$guard_gap" "$work/gap"
says err "faultline-divergence: $key"
dies "$crash" "$work/null"
run 2 env FAULTLINE_CORE="$work/none.so" "$targets/fl-fault" "$work/gap"
says err "faultline: FAULTLINE_CORE: $work/none.so: there is no such file"
run 2 env FAULTLINE_CORE="$partial" "$targets/fl-walk" "$work/gap"
says err "target walk cannot start: core \"plugin\" lacks walk"

# fuzz tells before it starts anything.
export FAULTLINE_ROOT=$work FAULTLINE_BUILD=$work/build
run 2 "$program" fuzz --core "$work/none.so" --time 1
says err "there is no such file"
run 2 "$program" fuzz --core "$partial" --target walk --time 1
says err "it lacks walk, permits, sync_all, p3_sync, fl_gup, which target walk needs"

echo "$checks checks, $failures failed"
[ "$failures" = 0 ] && [ "$checks" -gt 20 ]
