#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the targets as OSS-Fuzz and ClusterFuzzLite do, with the contract's variables and without their images, and asserts
# what their build checker asserts, and what it does not look at: seeds, dictionaries, options, what a target is linked with.
#
# usage: check.sh ROOT WORKDIR BUILD ENGINE SANITIZER ARCHITECTURE     BUILD: a build folder without an engine
# Exit code 77: something that it takes is not here (the last line says what).
set -u
# shellcheck source=tests/oss-fuzz/asserts.sh
. "$(dirname "$0")/asserts.sh"
# shellcheck source=tools/oss-fuzz/pkgconfig.sh
. "$1/tools/oss-fuzz/pkgconfig.sh"
root=$1 work=$2 faultline=$3/tools/faultline
build=$3
export FUZZING_ENGINE=$4 SANITIZER=$5 ARCHITECTURE=$6

skip() { echo "oss-fuzz: $1"; exit 77; }
fail() { echo "oss-fuzz: $1"; exit 1; }

case $FUZZING_ENGINE in
    libfuzzer) export CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer ;;
    afl)
        export CC=afl-clang-fast CXX=afl-clang-fast++ AFL_QUIET=1
        # The driver as a library, as their image has it.
        LIB_FUZZING_ENGINE=$(find /usr/lib /usr/local/lib -name libAFLDriver.a 2>/dev/null | head -n 1)
        export LIB_FUZZING_ENGINE
        [ -n "$LIB_FUZZING_ENGINE" ] || skip "AFL++ has no libAFLDriver.a here" ;;
esac
command -v "$CC" >/dev/null || skip "there is no $CC"
if [ "$ARCHITECTURE" = i386 ]; then
    printf '#include <errno.h>\n#include <string>\nint main() { return std::string("a").size() != 1; }\n' >"${TMPDIR:-/tmp}/oss-fuzz-$$.cc"
    clang++ -m32 -idirafter "/usr/include/$(uname -m)-linux-gnu" "${TMPDIR:-/tmp}/oss-fuzz-$$.cc" -o /dev/null 2>/dev/null
    have=$?
    rm -f "${TMPDIR:-/tmp}/oss-fuzz-$$.cc"
    [ $have = 0 ] || skip "no 32-bit C and C++ libraries (libc6-dev-i386, lib32gcc-12-dev, lib32stdc++-12-dev)"
fi

# ---- what base-builder sets ----------------------------------------------------------------------------------------
flags='-O1 -fno-omit-frame-pointer -gline-tables-only -Wno-error -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION'
# Kernel headers: their image has them where a 32-bit compiler looks.
[ "$ARCHITECTURE" != i386 ] || flags="-m32 -idirafter /usr/include/$(uname -m)-linux-gnu $flags"
undefined=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift
undefined+=,signed-integer-overflow,unreachable,vla-bound
case $SANITIZER in
    address) flags+=' -fsanitize=address -fsanitize-address-use-after-scope' ;;
    undefined) flags+=" -fsanitize=$undefined,unsigned-integer-overflow -fno-sanitize-recover=$undefined" ;;
    memory) flags+=' -fsanitize=memory -fsanitize-memory-track-origins' ;;
esac
[ "$FUZZING_ENGINE" != libfuzzer ] || flags+=' -fsanitize=fuzzer-no-link'
export CFLAGS=$flags CXXFLAGS=$flags UBSAN_OPTIONS=silence_unsigned_overflow=1
unset LDFLAGS ASAN_OPTIONS MSAN_OPTIONS

rm -rf "$work"
mkdir -p "$work/src/deps/lib/pkgconfig" "$work/src/deps/include" "$work/work" "$work/out" "$work/empty" || exit 1
export SRC=$work/src WORK=$work/work OUT=$work/out
ln -s "$root" "$SRC/faultline"

# ---- what dependencies.sh leaves: static libraries, here those of this system -----------------------------------------
bring() { # LIBRARY-FILE INCLUDE-FOLDER HEADERS...
    local header
    ln -s "$1" "$SRC/deps/lib/"
    for header in "${@:3}"; do ln -s "$2/$header" "$SRC/deps/include/$header"; done
}
bring_library() { # MODULE LIBRARY HEADERS
    local dir
    dir=$(pkg-config --variable=libdir "$1" 2>/dev/null) && [ -e "$dir/lib$2.a" ] || return 1
    bring "$dir/lib$2.a" "$(pkg-config --variable=includedir "$1")" "$3"
    write_pc "$SRC/deps" "$1" "$(pkg-config --modversion "$1")" "$2"
}
# Debian 12 has no static Zydis, and no zydis.pc: in its place comes an archive of which every decoder refuses to start. What
# is tested is that the targets find it and are linked with it.
bring_zydis() {
    local archive include
    include=$(echo '#include <Zydis/Disassembler.h>' | "$CC" -E -x c - 2>/dev/null |
        sed -n 's|^# 1 "\(.*\)/Zydis/Disassembler.h".*|\1|p' | head -n 1)
    [ -n "$include" ] || return 1
    archive=$("$CC" -print-file-name=libZydis.a)
    if [ ! -e "$archive" ]; then
        archive=$work/libZydis.a
        "$CC" -DZYDIS_STATIC_BUILD -c -o "$work/zydis.o" -x c - <<'C' && ar rcs "$archive" "$work/zydis.o" || return 1
#include <Zydis/Zydis.h>
ZyanU64 ZydisGetVersion(void) { return ZYDIS_VERSION; }
ZyanStatus ZydisDecoderInit(ZydisDecoder *d, ZydisMachineMode m, ZydisStackWidth w) { return ZYAN_STATUS_FAILED; }
ZyanStatus ZydisDecoderDecodeInstruction(const ZydisDecoder *d, ZydisDecoderContext *c, const void *b, ZyanUSize n,
                                         ZydisDecodedInstruction *i) { return ZYAN_STATUS_FAILED; }
C
    fi
    bring "$archive" "$include" Zydis Zycore
    [ ! -e "${archive%Zydis.a}Zycore.a" ] || bring "${archive%Zydis.a}Zycore.a" "$include"
    write_pc "$SRC/deps" zydis 4.0.0 Zydis Zycore
}
decoders=() without=''
if [ "$SANITIZER" != memory ] && [ "$ARCHITECTURE" = x86_64 ]; then
    bring_library unicorn unicorn unicorn || skip "no static Unicorn (libunicorn.a) beside the one that pkg-config finds"
    if bring_library capstone capstone capstone; then decoders+=(capstone); else without+=', without Capstone (no libcapstone.a)'; fi
    if bring_zydis; then decoders+=(zydis); else without+=', without Zydis (no headers of 4.0)'; fi
fi

# ---- build -----------------------------------------------------------------------------------------------------------
# ClusterFuzzLite comes in through its own door; what is behind it is the same.
door=tools/oss-fuzz
[ "$FUZZING_ENGINE-$SANITIZER" != libfuzzer-address ] || door=.clusterfuzzlite
cp "$root/$door/build.sh" "$SRC/build.sh"
began=$SECONDS
# Their image has no PKG_CONFIG_PATH of ours.
if ! (cd "$SRC" && env -u PKG_CONFIG_PATH bash -eu "$SRC/build.sh") >"$work/build.log" 2>&1; then
    tail -n 30 "$work/build.log"
    fail "$door/build.sh failed; the whole output is in $work/build.log"
fi
built=$((SECONDS - began))
for decoder in "${decoders[@]}"; do
    grep -qE "^ *$decoder +: [0-9y]" "$work/build.log" || fail "$decoder is in deps/, and the targets are built without it"
done

# The folder is moved to another place, and what it was built from is gone.
mv "$OUT" "$work/moved"
rm -rf "$WORK" "$SRC/deps"
find "$work/moved" | sort >"$work/before"

# ---- check -----------------------------------------------------------------------------------------------------------
began=$SECONDS
check_out "$root" "$work/moved" "$work/checks" "$faultline" >"$work/verdict" 2>&1
find "$work/moved" | sort | cmp -s - "$work/before" || echo "BAD: running the targets changed their folder" >>"$work/verdict"
[ -z "$(ls -A "$work/empty")" ] || echo "BAD: a target wrote into the folder that it ran in: $(ls "$work/empty")" >>"$work/verdict"
cat "$work/verdict"
! grep -q '^BAD' "$work/verdict" || fail "$FUZZING_ENGINE $SANITIZER $ARCHITECTURE: see above"
[ "$(grep -c '^good' "$work/verdict")" = ${#OSS_TARGETS[@]} ] || fail "not every target was checked"

# ---- the check itself: what is broken has to be called so --------------------------------------------------------------
if [ "$FUZZING_ENGINE-$SANITIZER-$ARCHITECTURE" = libfuzzer-address-x86_64 ]; then
    check_itself "$root" "$work/moved" "$work/itself" "$faultline" || fail "the check passes what is broken"
    # A bug found by a target of this build has the stack of its class.
    python3 "$root/tests/classes/stacks.py" "$root" "$work/moved" "$build/tools/oss-fuzz/fl-export" "$build/tests/bugs" "$work"
    case $? in
        0) ;;
        77)
            [ "${FL_STRICT:-0}" != 1 ] || fail "there is no llvm-symbolizer (package llvm): stacks cannot be checked"
            without+=', without stacks (no llvm-symbolizer)' ;;
        *) fail "a finding's stack is not that of its class" ;;
    esac
fi
rm -rf "$work/moved" "$work/checks" "$work/itself"
echo "summary: OSS-Fuzz $FUZZING_ENGINE $SANITIZER $ARCHITECTURE: ${#OSS_TARGETS[@]} targets, built in $built s, checked in $((SECONDS - began)) s$without"
