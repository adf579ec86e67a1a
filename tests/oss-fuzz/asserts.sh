# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What OSS-Fuzz's build checker asserts of $OUT, and more. Each function prints "BAD: ..." lines for what is wrong.

OSS_TARGETS=(walk fault prefetch vmalloc gup)

# As they are set where fuzzing happens.
oss_environment() {
    local common=handle_sigill=1:handle_abort=1:symbolize=0:detect_leaks=1
    export ASAN_OPTIONS=$common MSAN_OPTIONS=$common
    export UBSAN_OPTIONS=$common:print_stacktrace=1:silence_unsigned_overflow=1
}

# Moved folder, empty working directory, no input: the checker's own run.
check_start() { # PROGRAM EMPTY LOG
    local edges
    (cd "$2" && "$1" -seed=1337 -runs=4) >"$3" 2>&1
    grep -q 'Done 4 runs' "$3" || { echo "BAD: $1 -runs=4 did not finish: $(tail -n 1 "$3")"; return; }
    edges=$(grep -oE 'INFO: Loaded [0-9]+ modules? +\([0-9]+ inline 8-bit counters' "$3" | grep -oE '\([0-9]+' | tr -d '(')
    [ "${edges:-0}" -ge 100 ] || echo "BAD: $1 has ${edges:-0} edges, not 100"
}

check_start_afl() { # PROGRAM EMPTY SEEDS LOG
    (cd "$2" && env -u ASAN_OPTIONS -u MSAN_OPTIONS -u UBSAN_OPTIONS AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_NO_AFFINITY=1 AFL_FAST_CAL=1 timeout -s INT 90 \
        afl-fuzz -V 5 -m none -t 5000 -i "$3" -o "$4.out" -x "$1.dict" -- "$1") >"$4" 2>&1
    grep -q 'All set and ready to roll' "$4" || echo "BAD: $1 does not fuzz under AFL++: $(grep -aE 'PROGRAM ABORT|crash' "$4" | head -n 1)"
    [ -z "$(find "$4.out" -path '*crashes*' -name 'id:*' 2>/dev/null)" ] || echo "BAD: $1 crashed under AFL++"
    rm -rf "$4.out"
}

check_linking() { # PROGRAM
    local library
    for library in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
        case $library in
            libc.so.6 | libm.so.6 | libdl.so.2 | librt.so.1 | libpthread.so.0 | libgcc_s.so.1 | libstdc++.so.6 | ld-linux*) ;;
            *) echo "BAD: $1 needs $library, which is not there where it runs" ;;
        esac
    done
    ! readelf -d "$1" | grep -qE '\((RPATH|RUNPATH)\)' || echo "BAD: $1 has a run path"
}

check_architecture() { # PROGRAM
    local machine
    machine=$(readelf -h "$1" | sed -n 's/ *Machine: *//p')
    case $ARCHITECTURE:$machine in
        x86_64:*X86-64* | i386:*80386*) ;;
        *) echo "BAD: $1 is for $machine, not for $ARCHITECTURE" ;;
    esac
}

# Limits of the checker, in calls of each runtime: at least, or at most.
check_calls() { # PROGRAM
    local asan ubsan msan most=200
    read -r asan ubsan msan < <(objdump -d --no-show-raw-insn "$1" |
        awk '/call.*<__asan/ {a++} /call.*<__ubsan/ {u++} /call.*<__msan/ {m++} END {print a + 0, u + 0, m + 0}')
    [ "$ARCHITECTURE" != i386 ] || most=280
    case $SANITIZER in
        address) [ "$asan" -ge 1000 ] && [ "$ubsan" -le $most ] && [ "$msan" -le 3 ] ;;
        memory) [ "$msan" -ge 1000 ] && [ "$asan" -le 0 ] && [ "$ubsan" -le $most ] ;;
        # With other engines than libFuzzer the checker does not look at UBSan.
        undefined) [ "$ubsan" -ge 168 ] && [ "$asan" -le 0 ] && [ "$msan" -le 3 ] || [ "$FUZZING_ENGINE" != libfuzzer ] ;;
    esac || echo "BAD: $1 does not look like a build with $SANITIZER: calls of ASan $asan, UBSan $ubsan, MSan $msan"
    echo "calls of $(basename "$1"): ASan $asan, UBSan $ubsan, MSan $msan"
}

# libFuzzer reads it, and all of it.
check_dictionary() { # PROGRAM EMPTY LOG
    local entries
    [ -s "$1.dict" ] || { echo "BAD: $1.dict is missing"; return; }
    entries=$(grep -c '^[a-z]' "$1.dict")
    [ "$entries" -ge 100 ] || echo "BAD: $1.dict has $entries entries"
    [ "$FUZZING_ENGINE" = libfuzzer ] || return 0
    (cd "$2" && "$1" -runs=0 -dict="$1.dict") >"$3" 2>&1
    grep -q "^Dictionary: $entries entries" "$3" || echo "BAD: $1.dict: $entries entries, libFuzzer says: $(grep -i dictionary "$3" | head -n 1)"
}

check_options() { # PROGRAM SEEDS
    python3 - "$1.options" "$2" <<'PY' || echo "BAD: $1.options is not what it should be"
import configparser, os, sys
options = configparser.ConfigParser()
assert options.read(sys.argv[1]), 'missing'
known = {'libfuzzer': {'max_len', 'timeout'}, 'asan': {'handle_sigill'}, 'msan': {'handle_sigill'}, 'ubsan': {'handle_sigill'}}
assert set(options.sections()) == set(known), options.sections()
for section, names in known.items():
    assert set(options[section]) == names, section
    assert all(int(options[section][name]) > 0 for name in names), section
largest = max(os.path.getsize(os.path.join(sys.argv[2], name)) for name in os.listdir(sys.argv[2]))
assert int(options['libfuzzer']['max_len']) >= max(largest, 96 + 256 * 32), largest
PY
}

# Each seed is what its text says. For all seeds of a folder at once: a process for each takes its time.
check_decoding() { # PROGRAM SEEDS FAULTLINE ROOT
    local seed name
    local -a bytes=() texts=()
    for seed in "$2"/*; do
        name=$(basename "$seed")
        bytes+=("$seed")
        texts+=("$4/corpus/${name%%-*}/${name#*-}.scn")
    done
    "$3" show "${bytes[@]}" | grep -v '^# ' >"$2.bytes"
    "$3" show "${texts[@]}" | grep -v '^# ' >"$2.texts"
    [ -s "$2.bytes" ] && cmp -s "$2.bytes" "$2.texts" || echo "BAD: $1: a seed is not what its text says"
}

# Seeds replay clean: the checker does not look.
check_seeds() { # PROGRAM EMPTY SEEDS LOG
    local count seed
    count=$(find "$3" -type f | wc -l)
    [ "$count" -gt 0 ] || { echo "BAD: $1 has no seeds"; return; }
    if [ "$FUZZING_ENGINE" = afl ]; then
        for seed in "$3"/*; do # the driver runs the files that it is given
            (cd "$2" && AFL_QUIET=1 "$1" "$seed") >"$4" 2>&1 || echo "BAD: $1: $(basename "$seed") ends with $?: $(grep -m 1 divergence "$4")"
        done
        return
    fi
    (cd "$2" && "$1" -runs=0 "$3") >"$4" 2>&1 ||
        echo "BAD: $1: a seed does not replay clean: $(grep -m 1 -E 'divergence|ERROR' "$4")"
    grep -qE "seed corpus: files: $count " "$4" || echo "BAD: $1: libFuzzer has not read all $count seeds"
}

check_target() { # ROOT OUT DIR FAULTLINE NAME
    local program=$2/fl-$5 log=$3/$5.log seeds=$3/$5.seeds empty=$3/../empty verdict
    mkdir -p "$empty"
    [ -x "$program" ] || { echo "BAD: $program is missing"; return; }
    rm -rf "$seeds"
    mkdir -p "$seeds"
    if ! python3 -m zipfile -e "${program}_seed_corpus.zip" "$seeds" 2>/dev/null; then
        echo "BAD: ${program}_seed_corpus.zip is missing or broken"
        return
    fi
    verdict=$(
        oss_environment
        check_linking "$program"
        check_architecture "$program"
        check_calls "$program"
        if [ "$FUZZING_ENGINE" = afl ]; then
            check_start_afl "$program" "$empty" "$seeds" "$log"
        else
            check_start "$program" "$empty" "$log"
        fi
        check_seeds "$program" "$empty" "$seeds" "$log"
        check_dictionary "$program" "$empty" "$log"
        check_options "$program" "$seeds"
        check_decoding "$program" "$seeds" "$4" "$1"
    )
    printf '%s\n' "$verdict"
    [[ $verdict == *BAD:* ]] || echo "good: fl-$5, $(find "$seeds" -type f | wc -l) seeds, $(grep -c '^[a-z]' "$program.dict") words"
}

check_out() { # ROOT OUT DIR FAULTLINE
    local name scenario
    mkdir -p "$3"
    # Two at a time: as many as the smallest machine has processors.
    for name in "${OSS_TARGETS[@]}"; do
        while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
        check_target "$1" "$2" "$3" "$4" "$name" >"$3/$name.verdict" 2>&1 &
    done
    wait
    for name in "${OSS_TARGETS[@]}"; do cat "$3/$name.verdict"; done
    # No scenario of the corpus is lost.
    for scenario in "$1"/corpus/{seeds,regressions,reproductions}/*.scn; do
        name=$(basename "$(dirname "$scenario")")-$(basename "$scenario" .scn)
        compgen -G "$3/*.seeds/$name" >/dev/null || echo "BAD: $scenario is in no target's seeds"
    done
}

# The check on what is broken in one way each.
check_itself() { # ROOT OUT DIR FAULTLINE
    local out=$3/out crash=$3/crash empty=$3/empty seeds=$3/seeds bad=0 n=0
    must_say() { # WHAT WORDS COMMAND...
        local what=$1 words=$2 verdict
        shift 2
        n=$((n + 1))
        verdict=$("$@" 2>&1)
        [[ $verdict == *BAD:*"$words"* ]] || { echo "the check says nothing of $what, but: $verdict"; bad=1; }
    }
    # Called by must_say.
    # shellcheck disable=SC2317
    as_i386() {
        local ARCHITECTURE=i386
        check_architecture "$1"
    }
    rm -rf "$3"
    mkdir -p "$out" "$crash" "$empty" "$seeds"
    cp "$2"/fl-prefetch* "$out/"
    must_say 'a target that is missing' 'is missing' check_target "$1" "$out" "$3" "$4" walk
    rm "$out/fl-prefetch_seed_corpus.zip"
    must_say 'seeds that are missing' 'missing or broken' check_target "$1" "$out" "$3" "$4" prefetch
    printf 'x="\\xzz"\n' >>"$out/fl-prefetch.dict"
    must_say 'a dictionary with an error' 'entries, libFuzzer says' check_dictionary "$out/fl-prefetch" "$empty" "$3/log"
    sed -i 's/^max_len.*/max_len = 64/' "$out/fl-prefetch.options"
    echo x >"$seeds/seeds-prefetch-decode"
    must_say 'inputs cut short' 'not what it should be' check_options "$out/fl-prefetch" "$seeds"
    must_say 'a seed that is another' 'not what its text says' check_decoding "$out/fl-prefetch" "$seeds" "$4" "$1"

    # A target that dies of its seed.
    clang -O1 -g1 -fsanitize=address,fuzzer -I "$1/fuzz" "$1/tests/classes/trap_target.c" "$1/fuzz/engine/trap.c" -o "$crash/fl-x"
    echo 'decision/stack-cushion' >"$seeds/seeds-prefetch-decode"
    must_say 'a seed that crashes' 'does not replay clean' check_seeds "$crash/fl-x" "$empty" "$seeds" "$3/log"
    rm "$seeds"/*
    must_say 'no seed at all' 'has no seeds' check_seeds "$crash/fl-x" "$empty" "$seeds" "$3/log"
    must_say 'no sanitizer' 'does not look like' check_calls "$4"
    must_say 'another architecture' 'not for i386' as_i386 "$crash/fl-x"
    must_say 'a library that is not there' 'which is not there' check_linking "$4"
    rm "$out/fl-prefetch"
    printf '#!/bin/sh\nexit 1\n' >"$out/fl-prefetch"
    chmod +x "$out/fl-prefetch"
    must_say 'a target that does not start' 'did not finish' check_start "$out/fl-prefetch" "$empty" "$3/log"
    [ $bad = 0 ] && echo "the check itself: $n of $n broken things are called so"
}
