#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The faultline command as people meet it: exit codes, one clear line for each kind of bad input, nothing lost.
#   cli.sh ROOT FAULTLINE
set -uo pipefail
root=$1 program=$2
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

# expect CODE PATTERN ARGUMENT...: exit code, and a pattern (extended regular expression) that standard error must match
# in one line; an empty pattern means that standard error must be empty.
expect() {
    local code=$1 pattern=$2 got lines
    shift 2
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "faultline $*: exit code $got, expected $code: $(head -c 300 "$work/err")"
    if [ -z "$pattern" ]; then
        [ -s "$work/err" ] && fail "faultline $*: standard error is not empty: $(head -c 300 "$work/err")"
        return
    fi
    lines=$(wc -l <"$work/err")
    [ "$lines" = 1 ] || fail "faultline $*: $lines lines on standard error, expected 1: $(head -c 400 "$work/err")"
    grep -qE "$pattern" "$work/err" || fail "faultline $*: standard error is \"$(head -c 300 "$work/err")\", expected /$pattern/"
}

# the same where argp adds its "Try ... --help" line
expect_usage() {
    local pattern=$1 got
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = 2 ] || fail "faultline $*: exit code $got, expected 2"
    grep -qE "$pattern" "$work/err" || fail "faultline $*: standard error is \"$(head -c 300 "$work/err")\", expected /$pattern/"
}

seed=$root/corpus/seeds/demand-zero-4level.scn
vectors=$root/tests/data/walk-vectors-extra.txt

# ---- what works
expect 0 '' --help
expect 0 '' --version
expect 0 '' show "$seed"
grep -q '^faultline-scenario 3$' "$work/out" || fail "show printed no scenario"
cp "$work/out" "$work/shown.scn"
expect 0 '' show "$work/shown.scn"
cmp -s "$work/out" "$work/shown.scn" || fail "show of what show printed is something else"
printf '\xff\x00garbage' >"$work/bytes"
expect 0 '' show "$work/bytes"
expect 0 '' walk --vectors "$vectors"
expect 0 '' walk --vectors "$vectors" --json
expect 0 '' repro "$seed"
grep -q 'policy row' "$work/out" || fail "repro of one file does not say what the policy said"
expect 0 '' repro -q "$seed" "$root/corpus/seeds"
expect 0 '' repro --json "$seed"

# ---- usage
expect 2 'no subcommand "frobnicate"' frobnicate
expect_usage 'FILE' show
expect_usage 'FILE' repro
expect_usage 'vectors' walk
expect_usage 'no executor "kvm"' walk --vectors "$vectors" --executor kvm
expect_usage 'no target "frob"' fuzz --target walk,frob
expect_usage 'no engine "hongg"' fuzz --engine hongg
expect_usage '"0" is not a whole number from 1' fuzz --time 0
expect_usage '"1x" is not a whole number' fuzz --jobs 1x
FAULTLINE_ROOT='' FAULTLINE_BUILD='' expect 2 'launcher|cannot make|No such file' fuzz --time 1

# ---- files that are not there, are folders, cannot be read
expect 2 'nowhere: No such file' show "$work/nowhere"
expect 2 'nowhere: No such file' repro "$work/nowhere"
expect 2 'nowhere: ' walk --vectors "$work/nowhere"
expect 2 "$work: .*folder" walk --vectors "$work"
mkdir "$work/empty"
expect 2 'nothing was judged' repro "$work/empty"
head -c 5000000 /dev/zero >"$work/large"
expect 2 'larger than 4 MiB' show "$work/large"

# ---- malformed texts: file:line:column and what was expected
printf 'faultline-scenario 1\nmode 6level\n' >"$work/bad.scn"
expect 2 'bad.scn:2:6: expected .*found' show "$work/bad.scn"
expect 2 'bad.scn:2:6: expected .*found' repro "$work/bad.scn"
printf 'hello\n' >"$work/first.scn"
expect 2 'first.scn:1:1: ' show "$work/first.scn"
printf 'faultline-scenario 4\n' >"$work/newer.scn"
expect 2 'newer.scn:1:[0-9]+: .*newer' show "$work/newer.scn"
: >"$work/none.scn"
expect 2 'none.scn:1:1: ' show "$work/none.scn"
printf '4level 40 intel zz\n' >"$work/bad.txt"
expect 2 'bad.txt:1:17: .*expected' walk --vectors "$work/bad.txt"
printf '# only a comment\n' >"$work/comment.txt"
"$program" walk --vectors "$work/comment.txt" >"$work/out" 2>"$work/err"
[ $? = 2 ] || fail "a vectors file without vectors passes"
checks=$((checks + 1))
gzip -c "$vectors" | head -c 1500 >"$work/cut.gz"
expect 2 'cut.gz:' walk --vectors "$work/cut.gz"
sed 's/ pf:[0-9a-f]* / pf:6 /; s/ ok[^ ]* / pf:2 /' "$vectors" >"$work/wrong.txt"
expect 1 '' walk --vectors "$work/wrong.txt"

# ---- output that cannot be written
for arguments in "show $seed" "repro $seed" "walk --vectors $vectors" "--help"; do
    # shellcheck disable=SC2086 # the words are meant to be split
    "$program" $arguments >/dev/full 2>"$work/err"
    code=$?
    checks=$((checks + 1))
    [ $code = 2 ] || fail "faultline $arguments >/dev/full: exit code $code, expected 2"
    grep -q 'cannot write to standard output' "$work/err" || fail "faultline $arguments >/dev/full says: $(cat "$work/err")"
done
FAULTLINE_ROOT=$root FAULTLINE_BUILD=$work/nobuild expect 2 'cannot make this folder|fl-walk: No such file' \
    fuzz --time 1 --target walk --out /dev/null/x
FAULTLINE_ROOT=$root FAULTLINE_BUILD=$work/nobuild expect 2 'fl-walk: No such file' \
    fuzz --time 1 --target walk --out "$work/fuzz"

# ---- every subcommand has a man page that names each of its options
for subcommand in bisect campaign explain fuzz inject promote report repro show triage walk; do
    page=$root/docs/man/faultline-$subcommand.1
    if [ ! -f "$page" ]; then
        fail "no man page for $subcommand"
        continue
    fi
    for option in $("$program" "$subcommand" --help | grep -oE -- '--[a-z-]+' | sort -u); do
        checks=$((checks + 1))
        case $option in --help | --usage | --version) continue ;; esac
        grep -q -- "-${option#--}\b" "$page" || fail "the man page of $subcommand does not name $option"
    done
done

for verb in start status stop resume; do
    for option in $("$program" campaign $verb --help | grep -oE -- '--[a-z-]+' | sort -u); do
        checks=$((checks + 1))
        case $option in --help | --usage | --version) continue ;; esac
        grep -q -- "-${option#--}\b" "$root/docs/man/faultline-campaign.1" ||
            fail "the man page of campaign does not name $option of $verb"
    done
done

echo "cli: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -gt 30 ]
