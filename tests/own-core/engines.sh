#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docs/own-core.md: an instrumented core out of a shared object guides libFuzzer and AFL++ by its own edges.
#   engines.sh ROOT BUILD ARTIFACT-MAKER CORE
# BUILD: the folder of the engines' builds. ARTIFACT-MAKER CORE fault TRIES KEY FILE writes an input; CORE is not instrumented.
set -uo pipefail
root=$1 build=$2 find=$3 plain=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0 failures=0
fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
    tail -n 5 "$work/log" >&2
}
make_core() { # COMPILER FLAG... : of core/, as docs/own-core.md says
    "$@" -g -O1 -shared -fPIC -Wl,-Bsymbolic -I"$root/core/include" -I"$root/core/types" -o "$work/core.so" "$root"/core/*.c \
        >"$work/log" 2>&1
}
"$find" "$plain" fault 100000 decision/stack-guard-gap/refused/served "$work/input" >"$work/log" || fail "no input"

target=$build/libfuzzer/fuzz/fl-fault
if [ -x "$target" ] && command -v clang >/dev/null; then
    make_core clang -fsanitize=fuzzer-no-link || fail "clang does not build it"
    FAULTLINE_CORE=$work/core.so "$target" "$work/input" >"$work/log" 2>&1 || fail "this tree's core, instrumented, fails"
    grep -q 'Loaded 2 modules' "$work/log" || fail "libFuzzer does not see its edges"
    (FAULTLINE_CORE=$plain "$target" "$work/input") >"$work/log" 2>&1 && fail "the wrong core passes"
    grep -q 'Loaded 1 modules' "$work/log" || fail "an uninstrumented core has no edges"
    grep -q 'faultline-divergence: decision/stack-guard-gap/refused/served' "$work/log" || fail "it does not diverge"
    compared=$((compared + 1))
fi

target=$build/afl/fuzz/fl-fault
if [ -x "$target" ] && command -v afl-clang-fast >/dev/null; then
    tuples() { # CORE.so
        AFL_PRELOAD=$1 FAULTLINE_CORE=$1 AFL_QUIET=1 afl-showmap -q -m none -o "$work/map" -- "$target" - \
            <"$work/input" >"$work/log" 2>&1 || fail "afl-showmap: exit code $?"
        wc -l <"$work/map"
    }
    AFL_QUIET=1 make_core afl-clang-fast || fail "afl-clang-fast does not build it"
    with=$(tuples "$work/core.so")
    make_core "${CC:-cc}" || fail "cc does not build it"
    without=$(tuples "$work/core.so")
    echo "AFL++: $with edges with an instrumented core, $without without"
    [ "$with" -gt $((without + 20)) ] || fail "AFL++ does not see its edges: $with, without $without"
    compared=$((compared + 1))
fi

[ "$compared" -gt 0 ] || exit 77
echo "$compared engines looked at, $failures failures"
[ "$failures" = 0 ]
