#!/bin/bash -eu
# SPDX-License-Identifier: MIT
# The libraries that targets are linked with, static, into $SRC/deps: for the Dockerfiles. Sources that are in $SRC already
# are used, the others are fetched. Not instrumented: it is Faultline that is under test, and an instrumented emulator is slow.
: "${SRC:?the folder of the sources}"
deps=$SRC/deps
# shellcheck source=tools/oss-fuzz/pkgconfig.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/pkgconfig.sh"
jobs=$(nproc)
export CC=${CC:-clang} CXX=${CXX:-clang++} CFLAGS='-O2 -fPIC' CXXFLAGS='-O2 -fPIC'

fetch() { # NAME TAG ADDRESS
    [ -d "$SRC/$1" ] || git clone -q --depth 1 --recurse-submodules --shallow-submodules --branch "$2" "$3" "$SRC/$1"
}

with_cmake() { # NAME OPTION...
    local name=$1
    shift
    cmake -S "$SRC/$name" -B "$SRC/$name/build-static" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$deps" \
        -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF "$@"
    cmake --build "$SRC/$name/build-static" -j "$jobs"
    cmake --install "$SRC/$name/build-static"
}

fetch unicorn 2.1.1 https://github.com/unicorn-engine/unicorn
fetch capstone 4.0.2 https://github.com/capstone-engine/capstone
fetch zydis v4.0.0 https://github.com/zyantific/zydis
fetch xxhash v0.8.1 https://github.com/Cyan4973/xxHash

mkdir -p "$deps/include" "$deps/lib/pkgconfig"
with_cmake unicorn -DUNICORN_ARCH=x86 -DUNICORN_BUILD_TESTS=OFF -DUNICORN_INSTALL=ON
with_cmake capstone -DCAPSTONE_BUILD_SHARED=OFF -DCAPSTONE_BUILD_TESTS=OFF -DCAPSTONE_BUILD_CSTOOL=OFF \
    -DCAPSTONE_ARCHITECTURE_DEFAULT=OFF -DCAPSTONE_X86_SUPPORT=ON
with_cmake zydis -DZYDIS_BUILD_EXAMPLES=OFF -DZYDIS_BUILD_TOOLS=OFF -DZYDIS_BUILD_SHARED_LIB=OFF
make -s -C "$SRC/xxhash" PREFIX="$deps" LIBDIR="$deps/lib" install_libxxhash.includes install_libxxhash.pc

[ -e "$deps/lib/libcapstone.a" ] && [ -e "$deps/lib/libunicorn.a" ] && [ -e "$deps/lib/libZydis.a" ]
[ -e "$deps/lib/pkgconfig/capstone.pc" ] || write_pc "$deps" capstone 4.0.2 capstone
[ -e "$deps/lib/pkgconfig/zydis.pc" ] || write_pc "$deps" zydis 4.0.0 Zydis Zycore
