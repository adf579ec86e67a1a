#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline explain --c, with a C compiler: each program is right under this tree's core (exit 0) and wrong under the core that
# it is about (exit 1). The first one is compiled by the very command that its first line holds.
#   program.sh ROOT FAULTLINE BUGS      BUGS: the folder with bug-*.so
set -uo pipefail
root=$1 program=$2 bugs=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}
check() { # check WHAT COMMAND...
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}
scenario() { # scenario NAME MODE: standard input is the rest
    { printf 'faultline-scenario 2\nmode %s\n' "$2"; cat; } >"$work/$1.scn"
}

command -v cc >/dev/null || { echo "no C compiler: skipped"; exit 77; }

scenario write-readable 4level <<'SCN'
vma 0x10000000 pages 2 prot r
touch write user 0x10000ff8
SCN
scenario write-stack pae <<'SCN'
vma 0x3fff9000 pages 6 prot r growsdown
regs user bits 32 ip 0x400000 sp 0x3fff8800
fault cr2 0x3fff8800 code 0x6
SCN
scenario guard-gap 4level <<'SCN'
vma 0x10000000 pages 1 prot rw
vma 0x10011000 pages 4 prot rw growsdown
regs user bits 64 ip 0x400000 sp 0x10010000
fault cr2 0x10010000 code 0x6
SCN
scenario retry-killed 5level <<'SCN'
privilege kernel
ip 0xffffffff81000000
fault-retry yes

vma 0x10000000 pages 1 prot rw
inject mm-retry
inject fatal-signal
fault cr2 0x10000000 code 0x2
SCN
scenario prefetch-window 4level <<'SCN'
vendor amd
family 15

decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 0d
SCN
cp "$root/corpus/reproductions/14-lazy-mmu.scn" "$work/sync-flush.scn"
scenario crash 2level <<'SCN'
vma 0x10000000 pages 1 prot rw
fault cr2 0x20000000 code 0x6
SCN

# explain CODE ARGUMENT...
explain() {
    local code=$1 got
    shift
    "$program" explain --no-executor "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "explain $*: exit code $got, expected $code: $(head -c 300 "$work/err")"
}

# This tree's core as objects, once.
mkdir "$work/objects"
(cd "$work/objects" && cc -std=gnu17 -c -I"$root/core/types" -I"$root/core/include" "$root"/core/*.c) ||
    fail "the core does not compile"

for bug in write-readable write-stack guard-gap retry-killed prefetch-window sync-flush crash; do
    explain 1 --c -o "$work/$bug.c" --core "$bugs/bug-$bug.so" "$work/$bug.scn"
    [ -f "$work/$bug.c" ] || continue
    check "$bug: compiles without a warning" cc -std=gnu17 -Wall -Wextra -Werror -c -o "$work/$bug.o" \
        -I"$root/core/types" -I"$root/core/include" "$work/$bug.c"
    cc -o "$work/right" "$work/$bug.o" "$work"/objects/*.o || fail "$bug: does not link"
    "$work/right" >"$work/said" 2>&1
    got=$?
    check "$bug: this tree's core: exit code $got: $(cat "$work/said")" [ $got = 0 ]
    check "$bug: says right" grep -q '^right: all [1-9]' "$work/said"

    # The patched sources in place of the right ones.
    files=$(sed -n 's,^+++ b/core/,,p' "$root/tests/bugs/$bug.patch")
    rm -rf "$work/core"
    cp -r "$root/core" "$work/core"
    check "$bug: the patch applies" patch -s -d "$work" -p1 -i "$root/tests/bugs/$bug.patch"
    mkdir -p "$work/wrong-objects"
    cp "$work"/objects/*.o "$work/wrong-objects"
    for file in $files; do
        cc -std=gnu17 -c -o "$work/wrong-objects/${file%.c}.o" -I"$work/core/types" -I"$work/core/include" \
            "$work/core/$file" || fail "$bug: $file does not compile"
    done
    cc -o "$work/wrong" "$work/$bug.o" "$work"/wrong-objects/*.o || fail "$bug: does not link"
    "$work/wrong" >"$work/said" 2>&1
    got=$?
    check "$bug: the wrong core: exit code $got: $(cat "$work/said")" [ $got = 1 ]
    check "$bug: says wrong" grep -q 'WRONG' "$work/said"
done

# The command in the first line, as it stands, in a folder with core/ in it.
mkdir "$work/folder"
cp -r "$root/core" "$work/folder/core"
cp "$work/write-readable.c" "$work/folder/repro.c"
line=$(sed -n '1s,^// ,,p' "$work/folder/repro.c")
case $line in
    'cc -std=gnu17 -Icore/types -Icore/include repro.c core/*.c'*) ;;
    *) fail "first line: $line" ;;
esac
(cd "$work/folder" && sh -c "$line") >"$work/said" 2>&1 || fail "$line: $(cat "$work/said")"
checks=$((checks + 1))

# What one call does not show: one line that says why, exit code 2, and no file.
explain 2 --c -o "$work/none.c" "$work/write-readable.scn"
check "clean: one line" [ "$(wc -l <"$work/err")" = 1 ]
check "clean: says so" grep -q 'nothing disagrees' "$work/err"
check "clean: no file" [ ! -e "$work/none.c" ]

echo "explain-program: $checks checks, $failures failures"
[ "$failures" = 0 ] && [ "$checks" -gt 50 ]
