#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline conform as people meet it: mistakes get one line and exit code 2, runs can be cut into parts and interrupted and
# say the same in the end, decoders of a user's own may crash or hang.
#   cli.sh FAULTLINE PLUGINS      PLUGINS: the folder with tests/conform/plugins/decoder.c as dec-*.so
set -uo pipefail
program=$1 plugins=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

# ask CODE ARGUMENT...: runs conform prefetch; standard output in out, standard error in err.
ask() {
    local code=$1 got
    shift
    timeout 300 "$program" conform prefetch "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "conform prefetch $*: exit code $got, expected $code: $(head -c 400 "$work/err")"
}

# says PATTERN [FILE]: a line of that output matches
says() {
    checks=$((checks + 1))
    grep -qE -- "$1" "$work/${2:-out}" || fail "nothing matches /$1/ in: $(head -c 600 "$work/${2:-out}")"
}

one_line() {
    checks=$((checks + 1))
    [ "$(wc -l <"$work/err")" = 1 ] || fail "not one line on standard error: $(head -c 400 "$work/err")"
}

same() {
    checks=$((checks + 1))
    cmp -s "$1" "$2" || fail "$3: $(diff "$1" "$2" | head -n 5)"
}

small=(--prefixes 1 --axes "space" --execute none --quiet)

# ---- mistakes
mistake() {
    local pattern=$1
    shift
    ask 2 "$@"
    says "$pattern" err
}
mistake 'none of 64, 32, 16' --mode 65
mistake 'none of 64, 32, 16' --mode 64x
mistake 'number from 0 to 3' --prefixes 4
mistake 'number from 0 to 3' --prefixes x
mistake 'none of space' --axes spaces
mistake 'K/N with K from 1' --shard 3/2 --state "$work/s"
mistake 'name it with --state' --shard 1/2
mistake 'two hexadecimal digits' --bytes 0f1
mistake 'no byte' --bytes ' '
mistake 'asks about one string' --bytes 90 --csv
mistake 'named twice' --decoders core,core "${small[@]}"
one_line
mistake 'is none of core' --decoders cpastone "${small[@]}"
one_line
mistake 'is none of native' --execute natvie
one_line
mistake 'no-such' --decoders core,./no-such.so "${small[@]}"
one_line
mistake 'no-such' --core ./no-such.so --decoders core "${small[@]}"
one_line
mistake 'core is not among' --core ./no-such.so --decoders capstone "${small[@]}"
mistake 'core is not among' --core ./no-such.so --decoders "$plugins/dec-right.so,./core/x.so" "${small[@]}"
mistake 'nothing was asked' --decoders "$plugins/../conform/dec-right.so" --axes proof --execute none
ask 1 --core "$plugins/scanner1.so" --decoders all --axes proof --execute none
says REFUTED
one=(--bytes "0f 18 00" --mode 64 --decoders core --execute none)
FAULTLINE_CORE=$plugins/scanner1.so ask 0 "${one[@]}"
says '^  core +prefetch +scanner$'
FAULTLINE_CORE=$plugins/scanner1.so ask 0 --core '' "${one[@]}"
says '^  core +prefetch +tree$'
mistake 'no such file' --merge "$work/nowhere" "${small[@]}"
one_line
mistake 'no decoder is called' --report nobody "${small[@]}"
mistake 'no processor is asked' --report zydis "${small[@]}"
mistake 'two columns are called' --decoders "$plugins/dec-right.so,$plugins/../conform/dec-right.so" "${small[@]}"
echo '{"faultline-conform-state": 1}' >"$work/alien"
mistake 'another run' --state "$work/alien" "${small[@]}"
one_line
same "$work/alien" <(echo '{"faultline-conform-state": 1}') "a file of another run was changed"
echo nonsense >"$work/alien"
mistake "$work/alien:1:" --state "$work/alien" "${small[@]}"
mistake 'cannot write' --html /dev/full/x "${small[@]}"
"$program" conform prefetch "${small[@]}" >/dev/full 2>"$work/err" </dev/null
[ $? = 2 ] || fail "standard output that is full is not noticed"
"$program" conform 2>"$work/err" >/dev/null
[ $? = 2 ] || fail "conform without a word is not refused"
"$program" conform decoders 2>"$work/err" >/dev/null
[ $? = 2 ] || fail "conform decoders is not refused"

# ---- one string
ask 0 --bytes "66 0f 18 00" --mode 64 --decoders core --execute none
says '^66 0f 18 00 in 64-bit code'
says '^  rule +prefetch'
says '^  core +prefetch'
ask 0 --bytes "0f 19 00" --mode 32 --decoders core --execute none
says '^  core +no prefetch'
ask 0 --bytes "66" --mode 64 --decoders core,zydis --execute native
says '^  zydis +incomplete'
says '^  native +not asked'
ask 0 --bytes "400f1800" --json --decoders core --execute none
says '"rule": "no prefetch"'

# ---- a run, the same twice, whatever the number of workers; whole and in parts
ask 0 "${small[@]}" --decoders core --jobs 1 --json
cp "$work/out" "$work/whole"
says '"strings": 43008'
ask 0 "${small[@]}" --decoders core --jobs 3 --json
same "$work/out" "$work/whole" "three workers say something else than one"
for k in 1 2 3; do
    ask 0 "${small[@]}" --decoders core --shard $k/3 --state "$work/part$k"
done
ask 0 "${small[@]}" --decoders core --merge "$work/part1" --merge "$work/part3" --merge "$work/part2" --json
same "$work/out" "$work/whole" "three parts put together say something else than the whole"
ask 2 "${small[@]}" --decoders core --merge "$work/part1" --merge "$work/part1"
says 'holds a block that is there already' err
ask 0 "${small[@]}" --decoders core --merge "$work/part1"
says 'not all parts are there' err

# ---- interrupted at any time, then gone on from
long=(--prefixes 2 --axes "space,cuts" --execute none --quiet --decoders core)
ask 0 "${long[@]}" --json
cp "$work/out" "$work/whole"
for pause in 0.05 0.2 0.4; do
    rm -f "$work/state"
    timeout -s INT "$pause" "$program" conform prefetch "${long[@]}" --state "$work/state" >/dev/null 2>&1 </dev/null
    # In a shell of its own, which says nothing of how it ended.
    timeout -s KILL "$pause" "$program" conform prefetch "${long[@]}" --state "$work/state" >/dev/null 2>&1 </dev/null
    ask 0 "${long[@]}" --state "$work/state" --json
    same "$work/out" "$work/whole" "interrupted after $pause s, it says something else"
done
ask 0 "${long[@]}" --state "$work/state" --json
same "$work/out" "$work/whole" "a state that is whole says something else"

# ---- decoders of a user's own
ask 1 "${small[@]}" --decoders "core,$plugins/dec-crash.so" --json
says '"what": "crashed"'
says '"bytes": "f0 0f 18 00"'
ask 1 "${small[@]}" --decoders "core,$plugins/dec-crash.so"
says 'user-crash 1.0 crashed on f0 0f 18 00'
ask 1 "${small[@]}" --decoders "core,$plugins/dec-hang.so" --hang 1
says 'user-hang 1.0 hung on 67 0f 0d 07'
for pause in 0.2 0.2 0.2; do
    timeout -s INT "$pause" "$program" conform prefetch "${long[@]}" --decoders "core,capstone,$plugins/dec-crash.so" --jobs 1 \
        --state "$work/crashed" >/dev/null 2>&1 </dev/null
done
ask 1 "${long[@]}" --decoders "core,capstone,$plugins/dec-crash.so" --state "$work/crashed"
cp "$work/out" "$work/whole"
ask 1 "${long[@]}" --decoders "core,capstone,$plugins/dec-crash.so"
same "$work/out" "$work/whole" "gone on from crashes, it says something else"
ask 1 "${small[@]}" --decoders "core,$plugins/dec-always.so" --all
says 'was given up after'
says 'core prefetch'
ask 1 "${small[@]}" --decoders "core,$plugins/dec-wrong.so"
says '\?\?'
ask 0 "${small[@]}" --decoders "core,$plugins/dec-right.so"
ask 2 "${small[@]}" --decoders "core,$plugins/dec-exit.so"
one_line
ask 2 "${small[@]}" --decoders "core,$plugins/dec-asleep.so" --hang 1
says 'hung while it was opened' err

# ---- against this processor, where it can be asked
if "$program" conform prefetch --bytes 90 --decoders core --execute native >"$work/out" 2>"$work/err"; then
    says '^  native +ran as nop|^  native +ran'
    run=(--prefixes 1 --axes "space" --quiet --execute native --decoders "core,$plugins/dec-right.so")
    ask 0 "${run[@]}" --report user-right
    says '^Subject: user-right 1.0: f0 0f 0d 00 .* decodes as prefetch in 64-bit code$'
    says '^Expected:  no instruction: the processor raises #UD$'
    says '^  ./faultline conform prefetch --bytes "f0 0f 0d 00" --mode 64 '
    mistake 'no decoder is called nobody' "${run[@]}" --report nobody
    one_line
else
    echo "this processor cannot be asked: $(head -n 1 "$work/err")"
fi

# ---- a decoder that was built again is another one
cp "$plugins/dec-right.so" "$work/mine.so"
ask 0 "${small[@]}" --decoders "core,$work/mine.so" --state "$work/built"
echo >>"$work/mine.so"
ask 2 "${small[@]}" --decoders "core,$work/mine.so" --state "$work/built"
says 'another run' err

# ---- forms of output
ask 0 "${small[@]}" --decoders core --csv
says '^axis,form,modes,prefixes,example,example_bits,count,uniformity,rule,core$'
ask 0 "${small[@]}" --decoders core --html "$work/page.html"
checks=$((checks + 1))
[ "$(tail -n 1 "$work/page.html")" = '</script>' ] || fail "the page does not end"

echo "conform cli: $checks checks, $failures failures"
[ "$failures" = 0 ]
