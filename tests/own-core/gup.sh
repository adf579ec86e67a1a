#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Pinning out of a shared object (fl_gup), without a core and beside one: docs/own-core.md, "Pinning of your own".
#   gup.sh ROOT FAULTLINE FIND-BUGS TARGETS CC WRONG CORE-ONLY
# TARGETS: the folder of fl-gup and the others. CC: the compiler, with flags. WRONG: a core whose pinning is Dirty COW.
# CORE-ONLY: a plug-in without fl_gup().
set -uo pipefail
root=$1 program=$2 find=$3 targets=$4 cc=$5 dirty_cow=$6 core_only=$7
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
says() { # FILE TEXT
    checks=$((checks + 1))
    grep -qF -- "$2" "$work/$1" || fail "$1 does not say \"$2\""
}
one_line() {
    checks=$((checks + 1))
    [ "$(wc -l <"$work/err")" = 1 ] || fail "not one line"
}
build() { # OUT SOURCE FLAG...
    local out=$1 source=$2
    shift 2
    # shellcheck disable=SC2086 # a command and its flags
    $cc "$@" -Wall -Wextra -Werror -shared -fPIC -Wl,-Bsymbolic -I"$root/core/include" -I"$root/core/types" -o "$work/$out.so" "$source" \
        >"$work/out" 2>"$work/err" || fail "$source: does not build"
}
for kind in FEW CRASHES HANGS ASKS LIES OLD NONE UNNAMED; do
    build "$kind" "$root/tests/own-core/gup.c" -DKIND="$kind"
done

cat >"$work/fast.scn" <<'SCN'
faultline-scenario 3
area anon 0x400000 pages 4 flags r,w,may-read,may-write
act write 0x400000
pin fast 0x400000 pages 1 flags write
pin user 0x400000 pages 1 flags write get
access read user 0x1000
SCN

# What cannot be used: one line, exit code 2, through each door.
for door in OLD:'pinning interface' NONE:'fl_gup() answers NULL' UNNAMED:'no usable name'; do
    run 2 "$program" repro --core "$work/${door%%:*}.so" "$work/fast.scn"
    says err "${door#*:}"
    says err "$work/${door%%:*}.so"
    one_line
    run 2 env FAULTLINE_CORE="$work/${door%%:*}.so" "$targets/fl-gup" "$work/fast.scn"
    says err "${door#*:}"
    one_line
done

# Of pinning alone, what it has is run, and the rest is skipped and counted.
run 1 "$program" repro --target gup --core "$work/FEW.so" "$work/fast.scn"
says out "core: pins ($work/FEW.so), lacks fl_core, pin, pin_user, pin_fast_only, fixup, dump, follow"
says out "DIVERGENCE decision/pin/pinned/fewer"
sed -i 's/^pin fast .*/pin fast 0x800000 pages 1/' "$work/fast.scn"
run 0 "$program" repro --core "$work/FEW.so" "$work/fast.scn"
says out "1 events judged, 2 skipped"
run 2 "$program" repro --target fault --core "$work/FEW.so" "$work/fast.scn"
says err "core \"pins\" lacks fl_core, pin, pin_user"
says err "target fault cannot run; it can run: gup"
run 2 env FAULTLINE_CORE="$work/FEW.so" "$targets/fl-walk" "$work/fast.scn"
says err "target walk cannot start: core \"pins\" lacks fl_core"
run 2 "$program" conform prefetch --core "$work/FEW.so" --axes proof
says err "has no fl_core()"

# A core alone does not pin.
run 2 "$program" repro --target gup --core "$core_only" "$work/fast.scn"
says err "fl_gup: target gup cannot run; it can run: fault, prefetch, vmalloc"
run 0 "$program" repro --core "$core_only" <(printf 'faultline-scenario 3\narea anon 0x400000 pages 1 flags r,w,may-read,may-write\npin fast 0x400000 pages 1\ndecode 64 user: 90\n')
says out "1 events judged, 1 skipped"

# What it does to its process, and to the world, is a finding.
run 1 "$program" repro --target gup --core "$work/CRASHES.so" "$work/fast.scn"
says out "CRASH crash/gup/signal-11"
run 0 "$find" "$work/HANGS.so" gup 1000 hang/gup
run 1 "$program" repro --target gup --core "$work/ASKS.so" "$work/fast.scn"
says out "DIVERGENCE progress/pin/ends/endless"
run 1 "$program" repro --target gup --core "$work/LIES.so" "$work/fast.scn"
says out "DIVERGENCE pin/count/asked-for/more"

# Both at once: the core of this tree, and wrong pinning.
sed -i 's/^pin fast .*/race dontneed 0x400000 at read nth 6\npin user 0x400000 pages 1 flags write,force get/; s/^area .*/area file 0x400000 pages 4 flags r,may-read,may-write file 1 size 16/; /^act/d' "$work/fast.scn"
run 0 "$program" repro --target gup "$work/fast.scn"
run 1 "$program" repro --target gup --core "$dirty_cow" "$work/fast.scn"
says out "core: faultline ($dirty_cow)"
says out "DIVERGENCE cow/write-pin/own-page/file-page"

# The worked example, out of the documentation.
awk '/^```c$/ { code = ""; inside = 1; next } /^```$/ { if (inside && code ~ /include <faultline\/gup.h>/) printf "%s", code; inside = 0 }
     inside { code = code $0 "\n" }' "$root/docs/own-core.md" >"$work/mygup.c"
awk '/^```/ { inside = !inside; text = ""; next } inside { text = text $0 "\n" } /^pin fixup/ && inside { printf "%s", text }' \
    "$root/docs/own-core.md" >"$work/mygup.scn"
build mygup "$work/mygup.c" -Wno-unused-parameter
run 1 "$program" repro --core "$work/mygup.so" "$work/mygup.scn"
says out "core: mine ($work/mygup.so), lacks fl_core, pin, pin_user, pin_fast_only, pin_fast, dump, follow"
# shellcheck disable=SC2016 # what it looks for
key=$(sed -n 's/^answers `DIVERGENCE \(.*\)`: .*/\1/p' "$root/docs/own-core.md")
says out "DIVERGENCE ${key:-none}"
run 0 "$program" repro "$work/mygup.scn"

echo "$checks checks, $failures failed"
[ "$failures" = 0 ] && [ "$checks" -gt 40 ]
