#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a campaign's corpora reach in the source, line by line: the targets are built once more, by clang and with its counters,
# and replay the corpora; llvm-cov writes HTML.
# usage: source.sh ROOT BUILD DIR OUT, where BUILD is a folder to build in and OUT one to write into (made anew)
# Exit code 2, and one line on standard error, when it cannot.
set -eu
root=$(realpath -- "$1") build=$2 dir=$(realpath -- "$3") out=$4

die() {
    echo "faultline: --source auto: $1" >&2
    exit 2
}

# llvm-cov of clang's own version: another may not read its counters.
version=$(clang --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\).*/\1/p' | head -n 1)
[ -n "$version" ] || die "clang is not here"
for name in cov profdata; do
    tool=llvm-$name-$version
    command -v "$tool" >/dev/null || tool=/usr/lib/llvm-$version/bin/llvm-$name
    command -v "$tool" >/dev/null || tool=llvm-$name
    command -v "$tool" >/dev/null || die "llvm-$name is not here (Debian: llvm)"
    [ $name = cov ] && cov=$tool || profdata=$tool
done
corpora=()
for corpus in "$dir"/corpus-v*/*/; do
    target=$(basename -- "$corpus")
    [ -f "$root/fuzz/targets/$target.c" ] && corpora+=("$corpus")
done
[ ${#corpora[@]} -gt 0 ] || die "$dir has no corpus to replay"

# What is there goes when the new one is whole: only what llvm-cov wrote, or nothing.
if [ -e "$out" ] && ! rmdir -- "$out" 2>/dev/null; then
    for file in index.html style.css; do
        [ -f "$out/$file" ] || die "$out is there and nothing that llvm-cov wrote; move it away"
    done
fi

# The programs that meson and the build try out count as well: not into files.
export LLVM_PROFILE_FILE=/dev/null
unset FAULTLINE_CORE # it is the source of this tree that is shown
counters='-fprofile-instr-generate -fcoverage-mapping'
log=$build.log
mkdir -p -- "$(dirname -- "$build")"
[ -f "$build/build.ninja" ] || CC=clang CFLAGS=$counters LDFLAGS=-fprofile-instr-generate \
    meson setup -Dengine=none -Dbuildtype=debugoptimized "$build" "$root" >"$log" 2>&1 ||
    die "meson setup failed: $log"
programs=()
for corpus in "${corpora[@]}"; do programs+=("fuzz/fl-$(basename -- "$corpus")"); done
ninja -C "$build" "${programs[@]}" >>"$log" 2>&1 || die "the build failed: $log"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
objects=()
for corpus in "${corpora[@]}"; do
    program=$build/fuzz/fl-$(basename -- "$corpus")
    objects+=(-object "$program")
    # An input that diverges ends the program, and with it the counters of its batch: hence small ones.
    # shellcheck disable=SC2016 # for the inner shell
    find "$corpus" -type f -print0 | LLVM_PROFILE_FILE=$work/%p.profraw xargs -0 -r -n 200 sh -c '"$@" || :' sh "$program" \
        >>"$log" 2>&1
done
compgen -G "$work/*.profraw" >/dev/null || die "the corpora were not replayed: $log"
"$profdata" merge -o "$work/all.profdata" "$work"/*.profraw >>"$log" 2>&1 || die "llvm-profdata failed: $log"
"$cov" show "${objects[@]:1}" -instr-profile="$work/all.profdata" -format=html -output-dir="$work/html" \
    -project-title="Faultline: what the corpora reach" -ignore-filename-regex="^/usr/" >>"$log" 2>&1 ||
    die "llvm-cov failed: $log"
rm -rf -- "$out"
mv -- "$work/html" "$out"
