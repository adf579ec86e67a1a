#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The life of a finding: a bucket, promoted; crashing, incubating, a regression; back by number and name.
#   life.sh ROOT FAULTLINE BUCKET BUG-CORE THREE-CORE CRASH-CORE CLEAN-CORE
# BUCKET makes buckets. The cores are wrong: BUG-CORE in the scanner's window, THREE-CORE in that and two more; but for
# CLEAN-CORE, which is this tree's.
set -uo pipefail
root=$1 program=$2 bucket=$3 bug=$4 three=$5 crash=$6 clean=$7
# shellcheck source=tests/promote/common.sh
. "$root/tests/promote/common.sh"
export FAULTLINE_ROOT=$work FAULTLINE_BUILD=$work/build
corpus=$work/corpus/regressions dir=$work/build/campaign
mkdir -p "$corpus"
key=prefetch/rule/ignored/not-ignored

cat >"$work/window.scn" <<'TEXT'
faultline-scenario 2
mode 4level
vendor amd
family 15

decode 64 user: 66 66
map 0xffff888000000000 frame 702 level 1 flags p,w,a,d pkey 2
decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 18
decode 64 user: 0f 18 00
TEXT
# The core that is right, as another build of it: the program itself is one, copies with something behind them others.
another_build() {
    cp "$clean" "$work/$1.so" && echo "$1" >>"$work/$1.so"
}
made() { # ARGUMENT...: a bucket
    checks=$((checks + 1))
    "$bucket" "$@" >"$work/out" 2>&1 || fail "no bucket: $(cat "$work/out")"
}

# ---- promoted: minimised, with a story, the next number, and known to the campaign
made "$dir" "$bug" "$work/window.scn" prefetch
says "^$key\$"
cp "$root"/corpus/regressions/0007-* "$corpus"
run 2 promote $key
complains "^faultline: $key: reproduces 0 of 3 times .*clean"
run 0 promote $key --core "$bug"
says "^promoted $key: .*/0008-a-prefetch-the-core-says-not-ignored.scn\$"
scn=$(echo "$corpus"/0008-*.scn)
expect=${scn%.scn}.expect
grep -q "^# finding: $key\$" "$scn" || fail "no finding in $(cat "$scn")"
grep -qE '^# state: crashing since .*/bug-prefetch-window.so@[0-9a-f]{8}$' "$scn" || fail "no state in $(cat "$scn")"
grep -q '^# found by: fault-afl-0, ' "$scn" || fail "nobody found $(cat "$scn")"
holds "$(grep -c '^decode' "$scn")" = 1
holds "$(grep -c '^map' "$scn")" = 0
holds "$(head -n 1 "$expect" | cut -d: -f1)" = '# incomplete'
run 0 show "$scn"
run 0 promote --list
says '^0007  regression '
says "^0008  crashing    a prefetch the core says not ignored +$key\$"
run 0 promote --list --json
says '"state": "crashing"'

# ---- it fails the regressions while the bug is there
run 1 repro --regressions --core "$bug"
says '^REGRESSION 0008 is not fixed yet: a prefetch the core says not ignored$'
says '^2 regressions: 1 hold, 1 do not'
run 0 repro --regressions
run 1 promote --advance --core "$bug"
says '^0008 .*: diverges, crashing: prefetch'

# ---- three clean builds, each counted once
run 0 promote --advance
says '^0008 .*: clean, crashing -> incubating \(1 of 3 clean builds\)$'
holds "$(cat "$expect")" = 'record 1: prefetch'
run 0 promote --advance
says '^0008 .*: clean, incubating \(1 of 3 clean builds\)$'
# ... and none where it diverges again
run 1 promote --advance --core "$bug"
says '^0008 .*: diverges, incubating -> crashing'
grep -qE '^# state: crashing since ' "$scn" || fail "it is not crashing: $(cat "$scn")"
run 0 promote --advance
another_build second
run 0 promote --advance --core "$work/second.so"
says '^0008 .*: clean, incubating \(2 of 3 clean builds\)$'
run 0 promote --advance --core "$work/second.so"
says '^0008 .*: clean, incubating \(2 of 3 clean builds\)$'
another_build third
run 0 promote --advance --core "$work/third.so"
says '^0008 .*: clean, incubating -> regression$'
grep -qE '^# state: regression since [^ ]*/third.so@[0-9a-f]{8}$' "$scn" || fail "it is no regression: $(cat "$scn")"
holds "$(grep -c '^# state' "$scn")" = 1
run 0 repro --regressions
says '^2 regressions: 2 hold'

# ---- the bug comes back: by number and name, also among others
run 1 repro --regressions --core "$bug"
says '^REGRESSION 0008 is back: a prefetch the core says not ignored$'
says '^  story: +A prefetch: the core says not-ignored'
run 1 repro --regressions --core "$three"
says '^REGRESSION 0008 is back: a prefetch the core says not ignored$'
run 1 promote --advance --core "$bug"
says '^REGRESSION 0008 is back: a prefetch the core says not ignored$'
grep -q '^# state: regression since' "$scn" || fail "it is no regression any more"
run 0 promote --advance

# ---- another finding in its scenario is not this one: state and bucket stay as they are
cp "$scn" "$work/kept.scn"
{ head -n 1 "$scn"; grep '^# ' "$scn"; grep -v '^#' "$root"/corpus/regressions/0005-*.scn | tail -n +2; } >"$work/other.scn"
cp "$work/other.scn" "$scn"
run 0 triage --list --json
cp "$work/out" "$work/before"
run 1 promote --advance --core "$crash"
says '^0008 .*: diverges with another key, regression: crash/'
says "^  it was found as $key; neither its state nor its bucket changes\$"
run 0 triage --list --json
holds "$(cmp "$work/out" "$work/before" && echo same)" = same
holds "$(cmp "$scn" "$work/other.scn" && echo same)" = same
mv "$work/kept.scn" "$scn"
# ... and what a person has decided stays, too, when it is back
run 0 triage --status $key invalid --reason 'not a bug: said by hand'
run 1 promote --advance --core "$bug"
says '^REGRESSION 0008 is back: '
run 0 triage --list --json
says '"status": "invalid"'
says '"reason": "not a bug: said by hand"'
# ... which promote itself sees as late as when it was waiting for another one
run 0 triage --status $key open
exec 9<"$corpus"
flock 9
"$program" promote $key --core "$bug" --number 20 >"$work/late.out" 2>"$work/late" </dev/null 9<&- &
late=$!
sleep 0.5
run 0 triage --status $key invalid --reason 'not a bug: said by hand'
exec 9<&-
wait $late
holds $? = 2
grep -q "^faultline: $key: is marked invalid" "$work/late" || fail "not refused: $(cat "$work/late")"
run 0 triage --status $key fixed --reason 'said by hand'

# ---- what is refused
run 2 promote $key --core "$bug"
complains "^faultline: $key: is promoted already: .*0008"
cp "$scn" "$work/kept.scn" && mv "$scn" "$corpus/0044-the-same.scn" && mv "$expect" "$corpus/0044-the-same.expect"
run 2 promote $key --core "$bug"
complains "^faultline: $key: the very same scenario is there: .*0044-the-same"
sed -i 's/ 0f 18$/ 0f 0d/' "$corpus/0044-the-same.scn"
run 2 promote $key --core "$bug"
complains "^faultline: $key: .*0044-the-same.scn has this key and diverges with it: it is that one come back"
rm "$corpus"/0044-*
run 2 promote $key --core "$bug" --number 7
complains '^faultline: number 7 is taken by .*0007'
run 2 promote $key --core "$bug" --slug ../x
run 0 promote $key --core "$bug" --number 12 --slug the-window --json
says '"number": 12'
holds -s "$corpus/0012-the-window.scn"
run 2 promote nothing/of/this/name
for why in aside duplicate invalid; do
    made "$work/$why" "$bug" "$work/window.scn" prefetch $why
    run 2 promote $key --core "$bug" --dir "$work/$why"
    complains "^faultline: $key: is (left aside|a duplicate of another/key|marked invalid)"
done
run 2 promote $key --dir "$work/nowhere"
run 2 promote $key --core "$bug" --corpus "$work/nowhere"
complains 'nowhere: cannot write regressions here'
run 2 promote
run 2 promote $key --advance
if [ "$(id -u)" != 0 ]; then
    rm "$corpus"/0012-*
    chmod a-w "$corpus"
    run 2 promote $key --core "$bug"
    complains 'cannot write regressions here'
    chmod u+w "$corpus"
fi
echo junk >"$corpus/0099-junk.scn"
run 2 promote $key --core "$bug"
run 2 promote --advance
rm "$corpus/0099-junk.scn"

# ---- a crash of the tested code is promoted as well; and without its campaign a scenario goes its way all the same
cp "$root"/corpus/regressions/0005-*.scn "$work/crash.scn"
made "$work/second" "$crash" "$work/crash.scn" fault
says '^crash/'
run 0 promote crash --core "$crash" --dir "$work/second" --slug a-crash
rm -r "$work/second" "$dir"
run 1 repro --regressions --core "$crash"
says '^REGRESSION [0-9]+ is not fixed yet: a crash$'
run 0 promote --advance --builds 1
says 'a crash: clean, crashing -> regression$'
run 0 repro --regressions
run 1 repro --regressions --core "$crash"
says '^REGRESSION [0-9]+ is back: a crash$'

end_checks
