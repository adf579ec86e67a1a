#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How a campaign treats what engines, disks and people do: a stand-in for an engine plays each case.
#   campaign.sh ROOT FAULTLINE
# shellcheck disable=SC2016,SC2119 # the stand-in's script expands its variables itself
set -uo pipefail
root=$1 program=$2
# shellcheck source=tests/campaign/stand_in.sh
. "$root/tests/campaign/stand_in.sh"

case="bad arguments"
engine 'wait_here'
for bad in "--time 5x" "--time 0" "--jobs 0" "--engine honggfuzz" "--target wall" "--min-free lots" "--core /nowhere.so" "--seed no"; do
    # shellcheck disable=SC2086 # two words each
    run 2 start $bad "$dir"
    check "$bad makes no folder" no_folder
done
FAULTLINE_CORE=/nowhere.so run 2 start "$dir"
check "FAULTLINE_CORE makes no folder" no_folder
run 2 frobnicate
run 2 resume "$dir"
check "one line" one_line
check "names start" grep -q 'campaign start' "$work/err"
run 2 stop "$dir"
run 2 start --target walk --engine libfuzzer --no-executor --json "$dir"
mkdir -p "$dir" && : >"$dir/holiday.jpg"
run 2 start --target walk --engine libfuzzer --no-executor "$dir"
check "a folder of somebody else's is left alone" test "$(ls "$dir")" = holiday.jpg
rm -rf "$dir"
rm "$build/libfuzzer/fuzz/fl-walk"
run 2 start --target walk --engine libfuzzer --no-executor "$dir"
check "names the program" grep -q 'libfuzzer/fuzz/fl-walk' "$work/err"

case="from start to stop"
engine 'judged 9; say 12; wait_here'
begin
check "says how to watch" grep -q 'campaign status' "$work/out"
check "is at work" in_time 40 is_state running
run 2 start --target walk --engine libfuzzer --no-executor "$dir"
check "one line" one_line
check "says so" grep -q 'a campaign works in this folder' "$work/err"
run 2 resume "$dir"
check "and the first goes on" is_state running
run 0 stop "$dir"
check "a summary" grep -q '9 events judged' "$work/out"
check "nobody is left" nobody
run 0 stop "$dir"
check "again: no harm" grep -q 'no campaign works here' "$work/err"
run 2 start --target walk --engine libfuzzer --no-executor "$dir"
check "says resume" grep -q 'campaign resume' "$work/err"
run 0 resume --time 3 --foreground "$dir"
check "counts on" grep -q '9 events judged' "$work/out"
rm -rf "$dir"

case="a finding"
engine 'judged 9; [ -e "$corpus/done" ] && wait_here; : >"$corpus/done"; printf abc >"${prefix}crash-1"; exit 77'
foreground 1 --time 6
check "stored" test -s "$dir/findings/unreproduced_walk.scn"
check "said" grep -q 'finding unreproduced/walk' "$work/err"
check "what to do" grep -q 'explain "unreproduced/walk"' "$work/out"
check "taken away from where the engine put it" test ! -e "$dir/jobs/walk-libfuzzer-0/crash-1"
"$program" campaign stop --json "$dir" >"$work/out" 2>/dev/null
check "as JSON" grep -q '"open": 1' "$work/out"
rm -rf "$dir"

case="an input of the corpus that stops the engine at every start"
engine 'case $prefix in */merge/*) exit 1 ;; esac
[ -e "$corpus/../made" ] || { printf poison >"$corpus/p"; : >"$corpus/../made"; }
grep -qsF poison "$corpus"/* && { printf poison >"${prefix}crash-1"; exit 77; }
judged 9; wait_here'
begin
check "is put aside" in_time 40 says 'it was moved to'
check "is told as health" in_time 40 sh -c "'$program' campaign status --json '$dir' | grep -q 'stops soon after each start'"
check "and where it was said is" grep -rqF poison "$dir/left-aside/inputs"
check "not in the corpus any more" sh -c "! grep -rqF poison '$dir'/corpus-v*/walk"
check "then the engine works" in_time 40 sh -c "'$program' campaign status --json '$dir' | grep -q '\"events\": 9'"
check "what cannot be passed over is not said to be" sh -c "! grep -q 'passed over' '$dir/log'"
check "nor in known" test ! -s "$dir/known"
run 1 stop "$dir"
rm -rf "$dir"

case="an input of the corpus that stops a merge"
engine 'case "$*" in
    *-set_cover_merge=1*) cp "${@: -1}"/* "$corpus"; exit 0 ;;
    *-runs=0*) grep -qsF x77 "$corpus"/77 && { printf x77 >"${prefix}crash-1"; exit 77; }; say 12; exit 0 ;;
esac
[ -e "$corpus/1" ] || for i in {1..400}; do printf "x$i" >"$corpus/$i"; done
judged 9; wait_here'
begin
check "goes on without it" in_time 40 says 'merge of walk: .* became'
check "it is a finding" test -s "$dir/findings/unreproduced_walk.scn"
check "it stays in the corpus" grep -rqF x77 "$dir"/corpus-v*/walk
run 1 stop "$dir"
rm -rf "$dir"

case="something that cannot be stored for a while"
engine 'judged 9; [ -e "$corpus/../done" ] && wait_here
: >"$corpus/../done"; : >"$corpus/../../findings"; printf abc >"${prefix}crash-1"; exit 77'
begin
check "is said" in_time 40 says 'tried again, for'
check "does not end it" in_time 40 is_state running
check "is told in the status" in_time 40 sh -c "'$program' campaign status '$dir' | grep -q 'cannot be stored'"
check "stays" test -s "$dir/jobs/walk-libfuzzer-0/crash-1"
rm "$dir/findings"
check "and is taken up then" in_time 40 test -s "$dir/findings/unreproduced_walk.scn"
run 1 stop "$dir"
rm -rf "$dir"

case="no room from the beginning"
engine 'judged 9; wait_here'
begin --min-free 900000G
check "waits" in_time 40 is_state paused
check "says so" says 'paused: disk full on'
check "no engine works" test "$(engines)" = 0
read -r guard supervisor <"$dir/lock"
kill -KILL "$supervisor"
check "is started again" in_time 40 says 'is started again'
check "and waits again" in_time 40 is_state paused
run 0 stop "$dir"
check "nobody is left" nobody
rm -rf "$dir"

case="an engine that does not start"
engine 'echo "faultline: target walk cannot start: no moon"; exit 3'
foreground 0 --time 4
check "its last words" grep -q 'no moon' "$work/err"
check "is not started in a loop" test "$(wc -l <"$dir/jobs/walk-libfuzzer-0/log")" -le 4
check "health" sh -c "'$program' campaign status --json '$dir' | grep -q 'no moon'"
rm -rf "$dir"

case="an engine that cannot be ended"
engine 'judged 1; trap "" TERM INT; while :; do sleep 0.1; done'
foreground 0 --time 1
check "is ended all the same" nobody
rm -rf "$dir"

case="what one engine finds reaches the other"
mkdir -p "$work/bin"
: >"$build/afl/fuzz/fl-walk"
chmod +x "$build/afl/fuzz/fl-walk"
cat >"$work/bin/afl-fuzz" <<'SCRIPT'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    case $1 in -o) out=$2 ;; -M) role=$2 ;; -F) foreign=$2 ;; -i) seeds=$2 ;; esac
    shift
done
mkdir -p "$out/$role/queue"
printf 'from afl' >"$out/$role/queue/id:000001,src:000000,time:1,execs:1,op:havoc"
printf 'from elsewhere' >"$out/$role/queue/id:000002,sync:other,src:000000"
trap 'exit 0' INT TERM
while :; do
    grep -rqF 'from libfuzzer' "$foreign" && : >"$out/has-it"
    ls "$seeds" >"$out/seeds"
    sleep 0.1
done
SCRIPT
chmod +x "$work/bin/afl-fuzz"
engine 'judged 9; printf "from libfuzzer" >"$corpus/0123456789abcdef0123456789abcdef01234567"; wait_here'
PATH=$work/bin:$PATH run 0 start --target walk --no-executor --jobs 2 "$dir"
afl=$(echo "$dir"/afl-v*/walk)
check "AFL++ sees what libFuzzer found" in_time 40 test -e "$afl/has-it"
check "libFuzzer sees what AFL++ found" in_time 40 grep -rqF 'from afl' "$dir"/corpus-v*/walk
check "but not what AFL++ has from elsewhere" sh -c "! grep -rqF 'from elsewhere' '$dir'/corpus-v*/walk"
check "AFL++ began with seeds" in_time 40 test -s "$afl/seeds"
run 0 stop "$dir"
check "nobody is left" nobody
rm -rf "$dir"
rm "$build/afl/fuzz/fl-walk"

case="the supervisor is killed"
engine 'judged 9; wait_here'
begin
check "is at work" in_time 40 is_state running
read -r guard supervisor <"$dir/lock"
kill -KILL "$supervisor"
check "is started again" in_time 40 says 'is started again'
check "a second run" in_time 40 says 'run 2 of'
check "and works" in_time 40 is_state running
check "one engine" test "$(engines)" = 1
run 0 stop "$dir"
check "nobody is left" nobody
rm -rf "$dir"

case="the guard is killed"
begin
check "is at work" in_time 40 is_state running
read -r guard supervisor <"$dir/lock"
kill -KILL "$guard"
sleep 0.5
check "the supervisor goes on" kill -0 "$supervisor"
run 0 stop "$dir"
check "nobody is left" nobody
rm -rf "$dir"

case="everything is killed, with an input that nobody has looked at yet"
begin
check "is at work" in_time 40 is_state running
kill_all
check "nobody is left" in_time 40 nobody
for i in {1..30}; do echo "abc$i" >"$dir/jobs/walk-libfuzzer-0/crash-$i"; done
run 1 resume --foreground --time 5 "$dir"
check "it is taken up" test -s "$dir/findings/unreproduced_walk.scn"
check "and all of its kind" sh -c "! ls '$dir'/jobs/walk-libfuzzer-0/crash-* 2>/dev/null"
run 1 stop "$dir"
rm -rf "$dir"

case="the folder goes away"
begin
check "is at work" in_time 40 is_state running
mv "$dir" "$dir-elsewhere"
check "all has ended" in_time 40 nobody
check "says so" grep -q 'the folder is gone' "$dir-elsewhere/log"
check "nothing is made in its place" no_folder
rm -rf "$dir-elsewhere"

case="a database that is damaged"
begin
check "is at work" in_time 40 is_state running
run 0 stop "$dir"
printf 'not what it was' | dd of="$dir/campaign.db" bs=1 conv=notrunc 2>/dev/null
cp "$dir/campaign.db" "$work/damaged.db"
for verb in resume stop status start; do
    run 2 $verb "$dir"
    check "$verb: one line" one_line
    check "$verb leaves it as it is" cmp -s "$dir/campaign.db" "$work/damaged.db"
done
rm -rf "$dir"

case="a folder that cannot be made"
: >"$work/file"
run 2 start --target walk --engine libfuzzer --no-executor "$work/file/campaign"
check "one line" one_line

case="a log that grows"
engine 'judged 9; head -c 3000000 /dev/zero | tr "\0" x; echo; wait_here'
begin
check "stays short" in_time 40 sh -c "[ -s '$dir/jobs/walk-libfuzzer-0/log.1' ] && [ \"\$(stat -c %s '$dir/jobs/walk-libfuzzer-0/log')\" -lt 1100000 ]"
run 0 stop "$dir"
rm -rf "$dir"

echo "campaign: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -gt 110 ]
