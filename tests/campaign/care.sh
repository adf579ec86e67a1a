#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a campaign must not hide, lose, leave behind or touch; with the stand-in for an engine.
#   care.sh ROOT FAULTLINE [NO_LOCKS]    NO_LOCKS: no_locks.c as a shared object, for LD_PRELOAD
# shellcheck disable=SC2016,SC2119 # the stand-in's script expands its variables itself
set -uo pipefail
root=$1 program=$2 no_locks=${3:-}
# shellcheck source=tests/campaign/stand_in.sh
. "$root/tests/campaign/stand_in.sh"
set_status() { # KEY ARGUMENT...
    checks=$((checks + 1))
    FAULTLINE_CAMPAIGN='' "$program" triage --dir "$dir" --reason test --status "$@" >"$work/out" 2>&1 ||
        fail "--status $*: $(cat "$work/out")"
}
passed_over() { grep -qxF "$1" "$dir/known"; }
not_passed_over() { [ -e "$dir/known" ] && ! passed_over "$1"; }
lives() { kill -0 "$1" 2>/dev/null; }

case="a duplicate of what is fixed"
engine 'judged 9; [ -e "$corpus/done" ] && wait_here; : >"$corpus/done"; printf abc >"${prefix}crash-1"; printf abd >"${prefix}timeout-1"; exit 77'
foreground 1 --time 5
check "nothing is passed over" not_passed_over unreproduced/walk
set_status unreproduced/walk duplicate --of unreproduced/limit/walk
run 0 resume --foreground --time 1 "$dir"
check "a duplicate is" passed_over unreproduced/walk
set_status unreproduced/limit/walk fixed
run 0 resume --foreground --time 1 "$dir"
check "not one whose bug is fixed: what shows is another" not_passed_over unreproduced/walk
set_status unreproduced/limit/walk invalid
run 0 resume --foreground --time 1 "$dir"
check "what is invalid is" passed_over unreproduced/limit/walk
check "and its duplicates are" passed_over unreproduced/walk
rm -rf "$dir"

case="a process number that is somebody else's now"
engine 'judged 9; wait_here'
begin
check "is at work" in_time 40 is_state running
kill_all
check "nobody is left" in_time 40 nobody
sleep 600 &
other=$!
tail -n +2 "$dir/lock" >"$work/rest"
{ echo "$other $other"; cat "$work/rest"; } >"$dir/lock"
exec 8<>"$dir/lock"
flock -n 8 || fail "the lock is not to be had"
run 3 stop "$dir"
check "says that it knows none" grep -q 'its process is not known' "$work/err"
check "and leaves that one alone" lives "$other"
run 2 resume "$dir"
check "a campaign works here" grep -q 'a campaign works in this folder' "$work/err"
exec 8>&-
run 0 stop "$dir"
check "none does" grep -q 'no campaign works here' "$work/err"
check "it is left alone still" lives "$other"
kill "$other"
rm -rf "$dir"

if [ -n "$no_locks" ]; then
    case="a file system without locks"
    export LD_PRELOAD=$no_locks
    begin
    check "is at work" in_time 40 is_state running
    run 2 resume "$dir"
    check "says so" grep -q 'a campaign works in this folder' "$work/err"
    read -r guard supervisor <"$dir/lock"
    kill -KILL "$guard"
    sleep 0.5
    run 2 resume "$dir"
    check "without its guard it works as well" lives "$supervisor"
    run 0 stop "$dir"
    check "stop finds it" grep -q '9 events judged' "$work/out"
    check "nobody is left" nobody
    run 0 stop "$dir"
    check "none works any more" grep -q 'no campaign works here' "$work/err"
    run 0 resume --foreground --time 1 "$dir"
    unset LD_PRELOAD
    rm -rf "$dir"
fi

case="a build while it works"
engine 'judged 9; wait_here'
begin
check "is at work" in_time 40 is_state running
engine 'judged 9; say 12; wait_here'
check "the new one goes on" in_time 60 says 'run 2 of'
check "which is said" says 'built anew'
check "and works" in_time 40 is_state running
check "one engine" test "$(engines)" = 1
run 2 resume "$dir"
run 0 stop "$dir"
check "nobody is left" nobody
rm -rf "$dir"

case="AFL++"
mkdir -p "$work/bin"
: >"$build/afl/fuzz/fl-walk"
chmod +x "$build/afl/fuzz/fl-walk"
cat >"$work/bin/afl-fuzz" <<'SCRIPT'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    case $1 in -o) out=$2 ;; -M) role=$2 ;; esac
    shift
done
mkdir -p "$out/$role/queue"
printf 'from afl' >"$out/$role/queue/id:000001,src:000000,time:1,execs:1,op:havoc"
[ -e "$out/$role/plot_data" ] || head -c 3000000 /dev/zero >"$out/$role/plot_data"
# As the target under a fork server: of a session of its own, and nothing but a signal ends it.
setsid sleep 600 &
trap '' INT TERM
while :; do sleep 0.1; done
SCRIPT
chmod +x "$work/bin/afl-fuzz"
afl() { PATH=$work/bin:$PATH run "$@"; }
copy() { find "$dir"/corpus-v*/walk -type f 2>/dev/null | head -n 1; }
is_whole() { [ -n "$(copy)" ] && [ "$(cat "$(copy)")" = 'from afl' ]; }
has_target() { pgrep -f '^sleep 600$' | while read -r pid; do grep -lazxF "FAULTLINE_CAMPAIGN=$dir" "/proc/$pid/environ"; done | grep -q .; }
afl 0 start --target walk --engine afl --no-executor --jobs 1 "$dir"
check "its find is in the corpus" in_time 40 is_whole
check "its target hangs" in_time 10 has_target
afl 0 stop "$dir"
check "is ended with it" nobody
check "which is said" says 'walk-afl-0 was killed, and [0-9]* processes'
# As a power cut leaves it.
: >"$(copy)"
afl 0 resume "$dir"
check "an empty file in the corpus is written anew" in_time 40 is_whole
plot=$(echo "$dir"/afl-v*/walk/main/plot_data)
check "what AFL++ draws from stays short" test "$(stat -c %s "$plot")" -lt 1100000
check "its last part is kept" test -s "$plot.1"
afl 0 stop "$dir"
rm -rf "$dir"

case="seeds of shards"
engine 'printf "%s\n" "$@" >"$FAULTLINE_STATS.arguments"; wait_here'
seed_of() { sed -n 's/^-seed=//p' "$dir/shards/$1/jobs/walk-libfuzzer-0/counters.arguments"; }
shard() { # CODE NUMBER ARGUMENT...
    local want=$1 number=$2
    shift 2
    run "$want" shard "$dir" "$number" --target=walk --engine=libfuzzer --no-executor --jobs=1 --time=1 "$@"
}
mkdir -p "$dir"
shard 0 0 --seed=2000000000
shard 0 3 --seed=2000000000
check "a large one counts" test "$(seed_of 0)" = 2000000000
check "each has its own" test "$(seed_of 3)" = 2000003027
for bad in 0 2147483648 12x -1; do
    shard 2 4 --seed=$bad
    check "$bad is refused" grep -q -- '--seed' "$work/err"
done
check "slow inputs are not written down" grep -q '^-report_slow_units=1000000$' "$dir/shards/0/jobs/walk-libfuzzer-0/counters.arguments"
rm -rf "$dir"
printf '#!/bin/sh\necho 7\n' >"$work/bin/sbatch"
chmod +x "$work/bin/sbatch"
drawn() { grep -o -- '--seed=[0-9]*' "$dir/slurm/shard.sh"; }
for _ in 1 2; do
    afl 0 start --slurm --target walk --engine libfuzzer --no-executor "$dir"
    check "one is drawn" drawn >>"$work/drawn"
    rm -rf "$dir"
done
check "another each time" test "$(sort -u "$work/drawn" | wc -l)" = 2

echo "care: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -ge 60 ]
