#!/bin/bash -eu
# SPDX-License-Identifier: MIT
# Builds the targets for OSS-Fuzz and ClusterFuzzLite, under the contract of their base-builder: CC, CXX, CFLAGS, CXXFLAGS,
# LIB_FUZZING_ENGINE, FUZZING_ENGINE, SANITIZER, ARCHITECTURE, SRC, WORK, OUT. Sources are in $SRC/faultline, static libraries
# in $SRC/deps (dependencies.sh). docs/oss-fuzz.md has the rest.
: "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}" "${SRC:?}" "${WORK:?}" "${OUT:?}"
engine=${FUZZING_ENGINE:-libfuzzer}
sanitizer=${SANITIZER:-address}
root=$SRC/faultline
build=$WORK/faultline-$engine-$sanitizer-${ARCHITECTURE:-x86_64}
targets=(walk fault prefetch vmalloc gup)

# Executor and decoders are not instrumented: MemorySanitizer would take what they write for unwritten. Nor are they there
# for 32 bits. The targets do without: then the core is held against the architectural walk and the decision table alone.
parts=(-Dunicorn=disabled -Dcapstone=disabled -Dzydis=disabled)
if [ "$sanitizer" != memory ] && [ "${ARCHITECTURE:-x86_64}" = x86_64 ]; then
    parts=(-Dunicorn=enabled)
    for decoder in capstone Zydis; do
        # Without the .pc file a library of the system would be taken, which is not there where the targets run.
        if [ -e "$SRC/deps/lib/lib$decoder.a" ] && [ -e "$SRC/deps/lib/pkgconfig/${decoder,,}.pc" ]; then
            parts+=("-D${decoder,,}=enabled")
            continue
        fi
        echo "faultline: no static $decoder (lib$decoder.a and ${decoder,,}.pc) in $SRC/deps: target prefetch goes without"
        parts+=("-D${decoder,,}=disabled")
    done
fi

# Whose coverage counters the decision cells go to; other engines see the code alone.
case $engine in
    libfuzzer | afl) ;;
    *) engine=external ;;
esac

export CFLAGS="${CFLAGS:-} -I$SRC/deps/include" LDFLAGS="${LDFLAGS:-} -L$SRC/deps/lib"
export PKG_CONFIG_PATH=$SRC/deps/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
# What runs at build time writes no profile into the sources, and a leak in it is nobody's finding.
export LLVM_PROFILE_FILE=/dev/null ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-}

rm -rf "$build"
meson setup "$build" "$root" --buildtype=plain -Dwarning_level=0 -Db_lundef=false -Dprefer_static=true -Dauto_features=disabled \
    "-Dengine=$engine" "-Dengine_lib=$LIB_FUZZING_ENGINE" "${parts[@]}"
ninja -C "$build" "${targets[@]/#/fuzz/fl-}" tools/oss-fuzz/fl-export

export=$build/tools/oss-fuzz/fl-export
for target in "${targets[@]}"; do
    name=fl-$target
    cp "$build/fuzz/$name" "$OUT/$name"
    "$export" dict "$target" >"$OUT/$name.dict"
    "$export" options "$target" >"$OUT/$name.options"
    "$export" seeds "$target" "$build/seeds/$target" "$root"/corpus/{seeds,regressions,reproductions}
    rm -f "$OUT/${name}_seed_corpus.zip"
    (cd "$build/seeds/$target" && python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" ./*)
done
