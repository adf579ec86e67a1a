# shellcheck shell=bash
# `faultline test`: every part with a budget in minutes, a line on what it took, one line of counts at the end.

fl_test_help() {
    cat <<'TEXT'
usage: faultline test [--quick | --slow] [--ci] [--bench] [--yes]

  (no option)  gcc build: all suites except slow; the targets as OSS-Fuzz builds them;
               clang build with ASan and UBSan: all suites except slow;
               line and branch coverage of core/ by the suites; 20 s of every target under libFuzzer and
               under AFL++; lints
  --quick      gcc build: the suites unit, property and lint, nothing else; not what starts whole campaigns, engines,
               browsers or the launcher itself (suites system and browser), nor the exhaustive comparisons
  --slow       everything, the suite slow and a start on a bare Debian 12 included
  --ci         like no option, plus the start on a bare Debian 12, minus patience: all parts together end
               within 25 minutes, and a missing optional library is a failure. Also on when CI is set.
  --bench      the benchmarks only
  --yes        install missing packages without asking

The last line is `N passed, N failed, N skipped`. Exit code 0: nothing failed and something passed.
The output of each part is in build/test-logs/.
TEXT
}

FL_PASSED=0
FL_FAILED=0
FL_SKIPPED=0
FL_DEADLINE=0 # in $SECONDS; 0: none

fl_count() { grep -cE "[^\\\\]\"result\": \"($2)\"" "$1" 2>/dev/null || true; }

# fl_part NAME MINUTES COMMAND...: runs it within its budget, output to a log; exit code in FL_STATUS.
fl_part() {
    local name=$1 limit=$(($2 * 60)) log=$FL_TEST_LOGS/$1.log began=$SECONDS
    shift 2
    if [ $FL_DEADLINE != 0 ] && [ $((FL_DEADLINE - SECONDS)) -lt $limit ]; then limit=$((FL_DEADLINE - SECONDS)); fi
    FL_LAST_LOG=$log
    if [ $limit -lt 5 ]; then
        echo "no time left" >"$log"
        FL_STATUS=124
    else
        # Something to see while it runs; fl_result overwrites it.
        [ ! -t 1 ] || printf '%-12s running, at most %d s\r' "$name" "$limit"
        timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
        FL_STATUS=$?
    fi
    FL_TOOK=$((SECONDS - began))
    FL_LIMIT=$limit
}

# fl_result NAME PASSED FAILED SKIPPED: counts it and prints the line; on failure the end of the log as well.
fl_result() {
    local verdict=ok note=
    FL_PASSED=$((FL_PASSED + $2))
    FL_FAILED=$((FL_FAILED + $3))
    FL_SKIPPED=$((FL_SKIPPED + $4))
    if [ "$3" -gt 0 ]; then verdict=FAILED; elif [ "$2" = 0 ]; then verdict=skipped; fi
    # timeout says 124, and 137 when it had to kill.
    case $FL_STATUS in 124 | 137) note=", stopped at its budget" ;; esac
    printf '%-12s %-8s %4d s of %d s   %d passed, %d failed, %d skipped%s\n' \
        "$1" "$verdict" "$FL_TOOK" "$FL_LIMIT" "$2" "$3" "$4" "$note"
    if [ "$3" -gt 0 ]; then
        grep -E '^ *[0-9]+/[0-9]+ .* (FAIL|ERROR|TIMEOUT|UNEXPECTEDPASS)' "$FL_LAST_LOG" | sort -u | head -n 30 | sed 's/^/    /'
        tail -n 30 "$FL_LAST_LOG" | sed 's/^/    | /'
        echo "    whole output: $(fl_shown "$FL_LAST_LOG")"
    fi
}

# fl_meson_part NAME CFG MINUTES MESON-ARGUMENT...: counts come from meson's own record, one JSON line per test.
fl_meson_part() {
    local name=$1 dir=$FL_BUILD/$2 minutes=$3 record passed failed skipped
    local -a plain=()
    shift 3
    record=$dir/meson-logs/$name.json
    rm -f "$record"
    # Sanitizers of clang before 17 lose the race with address randomisation on newer kernels now and then.
    if [[ $dir == *clang-san ]] && setarch "$(uname -m)" -R true 2>/dev/null; then plain=(setarch "$(uname -m)" -R); fi
    # Some tests mostly wait, for engines or a browser: two more at a time than there are processors.
    fl_part "$name" "$minutes" "${plain[@]}" meson test -C "$dir" --no-rebuild --print-errorlogs --logbase "$name" \
        --num-processes $(($(nproc) + 2)) "$@"
    passed=$(fl_count "$record" 'OK|EXPECTEDFAIL')
    skipped=$(fl_count "$record" SKIP)
    failed=$(fl_count "$record" 'FAIL|TIMEOUT|ERROR|INTERRUPT|UNEXPECTEDPASS')
    # Meson failed without a failed test (stopped, no such suite), or had nothing to run: that is a failure too. Only
    # what OSS-Fuzz builds may be left out as a whole where its tools are not there, though not in CI.
    if [ "${failed:-0}" = 0 ]; then
        if [ $FL_STATUS != 0 ]; then failed=1
        elif [ "${passed:-0}" = 0 ]; then
            if [ "$name" != oss-fuzz ] || [ "${skipped:-0}" = 0 ] || [ "$FL_STRICT" = 1 ]; then failed=1; fi
        fi
    fi
    fl_result "$name" "${passed:-0}" "${failed:-0}" "${skipped:-0}"
}

# fl_plain_part NAME MINUTES COMMAND...: counts as one; exit code 77 means it cannot be done here.
fl_plain_part() {
    local name=$1
    fl_part "$@"
    case $FL_STATUS in
        0) fl_result "$name" 1 0 0 ;;
        77)
            fl_result "$name" 0 0 1
            tail -n 1 "$FL_LAST_LOG" | sed 's/^/    /' ;;
        *) fl_result "$name" 0 1 0 ;;
    esac
    # What a part has to say in one line, it says last: "summary: ...".
    sed -n '$s/^summary: /             /p' "$FL_LAST_LOG"
}

# fl_build_part CFG [configure]: a build that fails is one failed test, and the other parts still run. The subshell keeps
# fl_die inside. With `configure` only meson runs.
fl_build_part() {
    local began=$SECONDS
    FL_LAST_LOG=$FL_LOG
    # The lock is held while building only: a test may call ./faultline itself.
    (fl_lock && if [ "${2:-}" = configure ]; then fl_configure "$1"; else fl_build_one "$1"; fi)
    FL_STATUS=$?
    FL_TOOK=$((SECONDS - began))
    [ $FL_STATUS = 0 ] && return
    printf '%-12s %-8s %4d s\n' "$1" "no build" "$FL_TOOK"
    FL_FAILED=$((FL_FAILED + 1))
    return 1
}

fl_totals() {
    printf '%d passed, %d failed, %d skipped\n' "$FL_PASSED" "$FL_FAILED" "$FL_SKIPPED"
    [ "$FL_FAILED" = 0 ] && [ "$FL_PASSED" -gt 0 ]
}

fl_bare_part() {
    local -a as_root=()
    if [ "$EUID" != 0 ] && sudo -n true 2>/dev/null; then as_root=(sudo -n); fi
    fl_plain_part bare 12 "${as_root[@]}" "$FL_ROOT/tests/bare/bare-machine.sh" bookworm
}

# fl_test_parts MODE: the parts in order.
fl_test_parts() {
    local mode=$1 engine regressions gcc_minutes=9 san_minutes=9
    # The suite oss-fuzz builds the targets anew: it has a part of its own.
    local -a suites=(--no-suite slow --no-suite lint --no-suite oss-fuzz)
    if [ "$mode" = slow ]; then
        suites=(--no-suite lint --no-suite oss-fuzz)
        gcc_minutes=60
        san_minutes=120
    fi
    if [ "$mode" = quick ]; then
        fl_build_part gcc && fl_meson_part quick gcc 5 --suite unit --suite property --suite lint
        return
    fi
    # The long suites run campaigns, which need the engines.
    if [ "$mode" = slow ]; then for engine in libfuzzer afl; do fl_build_part "$engine"; done; fi
    fl_build_part gcc && {
        fl_meson_part gcc gcc $gcc_minutes "${suites[@]}"
        regressions=$(find "$FL_ROOT/corpus/regressions" -type f -name '*.scn' 2>/dev/null | wc -l)
        echo "             regressions replayed by the suite regression: $regressions"
    }
    [ -f "$FL_BUILD/gcc/build.ninja" ] && fl_meson_part oss-fuzz gcc 4 --suite oss-fuzz
    fl_build_part clang-san && fl_meson_part clang-san clang-san $san_minutes "${suites[@]}"
    # Built by the part itself, which needs little of it.
    fl_build_part coverage configure && fl_plain_part coverage 6 "$FL_ROOT/tests/coverage.sh" "$FL_ROOT" "$FL_BUILD/coverage"
    for engine in libfuzzer afl; do
        # From nothing, and apart from what the user's own runs have found.
        rm -rf "$FL_TEST_LOGS/fuzz-$engine"
        fl_build_part "$engine" && fl_plain_part "$engine" 3 \
            "$FL_PROGRAM" fuzz --target all --engine "$engine" --time 20 --out "$FL_TEST_LOGS/fuzz-$engine"
    done
    [ -f "$FL_BUILD/afl/build.ninja" ] && fl_meson_part afl-unit afl 2 --suite unit
    [ -f "$FL_BUILD/gcc/build.ninja" ] && fl_meson_part lint gcc 2 --suite lint
    case $mode in ci | slow) fl_bare_part ;; esac
}

fl_test() {
    local mode=full arg bench=0 cfg record failed
    local -a cfgs=(gcc clang-san coverage libfuzzer afl)
    case ${CI:-} in '' | 0 | false) ;; *) mode=ci ;; esac
    for arg; do
        case $arg in
            --quick) mode=quick ;;
            --slow) mode=slow ;;
            --ci) mode=ci ;;
            --bench) bench=1 ;;
            --help | -h) fl_test_help; return 0 ;;
            *) fl_die "test: unknown argument '$arg'; faultline test --help lists them" ;;
        esac
    done
    FL_NEEDS_MORE=" quick test "
    case $mode in
        quick) cfgs=(gcc); FL_NEEDS_MORE=" quick " ;;
        ci) export FL_STRICT=1; FL_DEADLINE=1470; FL_NEEDS_MORE+=" bare " ;; # 24.5 minutes: room for the last line
        slow) export FL_STRICT=1; FL_NEEDS_MORE+=" bare slurm " ;;
    esac
    if [ $bench = 1 ]; then cfgs=(gcc libfuzzer afl); FL_NEEDS_MORE=; fi

    fl_stamp_head
    fl_lock
    fl_log_begin
    FL_TEST_LOGS=$FL_BUILD/test-logs
    mkdir -p "$FL_TEST_LOGS" || fl_die "cannot write to $(fl_shown "$FL_TEST_LOGS")/: check its owner, then run again"
    # Not in a subshell: PKG_CONFIG_PATH must stay. A set-up that fails ends the run, with its counts all the same.
    trap 'if [ $? = 2 ]; then echo "0 passed, 1 failed, 0 skipped"; fi' EXIT
    fl_prepare "${cfgs[@]}"
    trap - EXIT
    fl_unlock
    if [ $bench = 1 ]; then
        for cfg in "${cfgs[@]}"; do
            fl_build_part "$cfg" || continue
            meson test -C "$FL_BUILD/$cfg" --no-rebuild --benchmark --verbose --logbase bench </dev/null
            FL_STATUS=$?
            record=$FL_BUILD/$cfg/meson-logs/bench.json
            FL_PASSED=$((FL_PASSED + $(fl_count "$record" OK)))
            FL_SKIPPED=$((FL_SKIPPED + $(fl_count "$record" SKIP)))
            failed=$(fl_count "$record" 'FAIL|TIMEOUT|ERROR|INTERRUPT')
            if [ "$failed" = 0 ] && [ $FL_STATUS != 0 ]; then failed=1; fi
            FL_FAILED=$((FL_FAILED + failed))
        done
        fl_totals
        return
    fi
    fl_test_parts "$mode"
    fl_totals
}
