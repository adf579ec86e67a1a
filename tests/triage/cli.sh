#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline triage as people meet it: what they decide, and files, folders and databases that are not as they should be.
#   cli.sh ROOT FAULTLINE MAKE-ARTIFACTS CORE
set -uo pipefail
root=$1 program=$2 make=$3 core=$4
# shellcheck source=tests/triage/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
retry=decision/retry-killed-kernel/no-context/fatal-signal window=prefetch/rule/ignored/not-ignored
flush=sync/current-copy/flushed/not-flushed
export FAULTLINE_BUILD=$work/build

# ---- nothing to find
mkdir "$work/random"
for i in 1 2 3 4 5; do head -c $((i * 700)) /dev/urandom >"$work/random/file-$i"; done
mkdir -p "$work/random/default/crashes"
head -c 3000 "$program" >"$work/random/default/crashes/id:000000,sig:11"
: >"$work/random/empty"
expect 0 '' --dir "$work/none" "$work/random"
says '^nothing reproduces: none of 7 files shows anything under this build; nothing was stored$'
[ ! -e "$work/none" ] || fail "a folder was made for nothing"
expect 0 '' "$root/corpus/seeds"
says '^nothing reproduces'
[ ! -e "$work/build/campaign" ] || fail "a folder was made for nothing"
mkdir "$work/nothing"
expect 0 '' --dir "$work/none" "$work/nothing"
says 'none of 0 files'

# ---- usage and input errors
expect 2 "campaign: no such campaign folder" --list
expect 2 "no such campaign folder"
expect 2 "nowhere: No such file" --dir "$work/none" "$work/nowhere"
expect 2 "random: --list takes a campaign folder only" --list "$work/random"
"$program" triage --jobs 0 >/dev/null 2>"$work/err"
[ $? = 2 ] || fail "--jobs 0: exit code"
grep -q '"0" is not a whole number from 1 to 64' "$work/err" || fail "--jobs 0: $(cat "$work/err")"
expect 2 "nosuch.so" --core "$work/nosuch.so" "$work/random"
printf 'faultline-scenario 2\nmode 9level\n' >"$work/bad.scn"
expect 2 'bad.scn:2:6: expected' --dir "$work/none" "$work/bad.scn"

# ---- findings, and what people decide
"$make" "$core" "$work/inputs" 45 fault prefetch vmalloc || fail "no inputs"
expect 1 '' --dir "$work/dir" --core "$core" --no-minimise "$work/inputs"
grep -q '^# minimised' "$work"/dir/findings/*.scn && fail "--no-minimise minimises"
expect 1 '' --dir "$work/dir" --core "$core" --json --jobs 1
says '"open": 3,'
says '"minimised": 3'
says '"shown": 3,'
grep -q '^# minimised' "$work"/dir/findings/*.scn || fail "what was left is not minimised"
expect 1 '' --list "$work/dir"
says "^open +high +[0-9]+ +3/3 all +$window$"
expect 0 '' --dir "$work/dir" --status rule invalid --reason 'as documented'
says "^$window: invalid: as documented$"
expect 0 '' --dir "$work/dir" --status current-copy duplicate --of retry-killed-kernel --reason 'one patch'
says "^$flush: duplicate of $retry: one patch$"
expect 1 '' --dir "$work/dir" --core "$core"
bucket "$work/dir" $window invalid
bucket "$work/dir" $flush duplicate
bucket "$work/dir" $retry open
# The leader becomes a duplicate itself: its duplicates move on with it.
expect 0 '' --dir "$work/dir" --status rule open
says "^$window: open: said by hand"
expect 0 '' --dir "$work/dir" --status retry-killed-kernel duplicate --of rule --reason 'looked'
"$program" triage --list --dir "$work/dir" >"$work/out"
grep -A1 "$flush\$" "$work/out" | grep -q "of $window" || fail "the duplicate of a duplicate is left behind"
expect 2 'would be a duplicate of itself' --dir "$work/dir" --status rule duplicate --of retry-killed-kernel --reason x
expect 0 '' --dir "$work/dir" --status rule fixed --reason 'patched'
expect 0 '' --list --dir "$work/dir"
says '3 buckets, 0 open'
expect 2 'no bucket "nonsense"' --dir "$work/dir" --status nonsense fixed --reason x
expect 2 'followed by one of open, fixed, invalid, duplicate, not by closed' --dir "$work/dir" --status rule closed --reason x
expect 2 'followed by one of open, fixed, invalid, duplicate$' --dir "$work/dir" --status rule
expect 2 '--reason TEXT is needed' --dir "$work/dir" --status rule fixed
expect 2 'a duplicate needs --of KEY' --dir "$work/dir" --status rule duplicate --reason x
expect 2 '--of is for the status duplicate' --dir "$work/dir" --status rule fixed --reason x --of retry
expect 2 'a reason that begins with "rule: "' --dir "$work/dir" --status rule fixed --reason 'rule: mine'

# ---- the same without knowing targets, and as scenarios of another campaign
mkdir "$work/flat"
find "$work/inputs" -type f | while read -r file; do cp "$file" "$work/flat/$(basename "$file" | tr ':,' '__')"; done
expect 1 '' --dir "$work/flat-dir" --core "$core" "$work/flat"
[ "$(open_buckets "$work/flat-dir")" = 3 ] || fail "without targets $(open_buckets "$work/flat-dir") are open"
expect 1 '' --dir "$work/copy" --core "$core" "$work/dir"
says '3 new buckets'
says 'scenario: 3'

# ---- databases and folders
cp -r "$work/flat-dir" "$work/bad"
printf 'not a database' >"$work/bad/campaign.db"
expect 2 'campaign.db: not a database; it is left as it is: .*makes it anew' --core "$core" "$work/bad"
expect 2 'campaign.db: not a database' --dir "$work/bad" --core "$core" "$work/flat"
[ "$(cat "$work/bad/campaign.db")" = 'not a database' ] || fail "a file that is no database was changed"
mv "$work/bad/campaign.db" "$work/bad/aside"
rm -f "$work/bad"/campaign.db-*
expect 1 '' --dir "$work/bad" --core "$core" "$work/bad/findings"
[ "$(open_buckets "$work/bad")" = 3 ] || fail "what is made anew has $(open_buckets "$work/bad") open"
head -c 20000 "$work/flat-dir/campaign.db" >"$work/bad/campaign.db"
rm -f "$work/bad"/campaign.db-*
expect 2 'campaign.db: corrupt: ' "$work/bad" --core "$core"
expect 2 'cannot make this folder' --dir /dev/null/x --core "$core" "$work/flat"
printf x >"$work/file"
expect 2 'file' --dir "$work/file" --core "$core" "$work/flat"
rm "$work/flat-dir/findings/${retry//\//_}.scn"
"$program" triage "$work/flat-dir" --core "$core" >"$work/out" 2>"$work/err"
grep -q 'stands in for it' "$work/err" || fail "a lost scenario: $(cat "$work/err")"
[ -f "$work/flat-dir/findings/${retry//\//_}.scn" ] || fail "a lost scenario is not made again"
checks=$((checks + 2))

# The folder goes while it is at work: one line, and it is not made again.
"$make" "$core" "$work/many" 300 fault || fail "no inputs"
cp -r "$work/copy" "$work/going"
"$program" triage --dir "$work/going" --core "$core" --jobs 1 "$work/many" >"$work/out" 2>"$work/err" &
pid=$!
sleep 0.2
mv "$work/going" "$work/gone"
wait $pid
code=$?
checks=$((checks + 1))
if ! grep -q '300 files' "$work/out"; then # else it was quicker
    [ $code = 2 ] || fail "a vanished folder: exit code $code: $(cat "$work/out" "$work/err")"
fi
[ ! -e "$work/going" ] || fail "a vanished folder was made again"

# A full disk, where this machine lets us have one: one line, and what was stored before is there.
mkdir "$work/full"
# shellcheck disable=SC2016 # for the inner shell
inner='mount -t tmpfs -o size=256k none "$1" && "$2" triage --dir "$1/dir" --core "$3" "$4"; code=$?
       "$2" triage --list --json --dir "$1/dir" | grep -c "\"status\": \"open\""; exit $code'
if unshare -rm mount -t tmpfs none "$work/full" 2>/dev/null; then
    unshare -rm bash -c "$inner" full "$work/full" "$program" "$core" "$work/many" >"$work/out" 2>"$work/err"
    code=$?
    [ $code = 2 ] || fail "a full disk: exit code $code: $(cat "$work/out" "$work/err")"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "a full disk: $(cat "$work/err")"
    grep -q 'No space left\|no space left' "$work/err" || fail "a full disk: $(cat "$work/err")"
    says 'files were not taken up: run it again when that is mended'
    tail -n 1 "$work/out" | grep -qx '[1-9]' || fail "a full disk: nothing is left: $(cat "$work/out")"
    checks=$((checks + 4))
fi

# Killed at any moment: what is there is whole, and the next run takes up the rest.
for delay in 0.02 0.05 0.1 0.2; do
    "$program" triage --dir "$work/killed" --core "$core" "$work/inputs" >/dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ -e "$work/killed/campaign.db" ]; then
        "$program" triage --list --dir "$work/killed" --json >"$work/out" 2>"$work/err" || [ $? = 1 ] ||
            fail "after a kill: $(cat "$work/err")"
        sed -n 's/^ *"file": "\(.*\)",$/\1/p' "$work/out" | while read -r file; do
            "$program" show "$work/killed/$file" >/dev/null || echo "$file"
        done >"$work/lost"
        [ -s "$work/lost" ] && fail "after a kill these are gone: $(cat "$work/lost")"
    fi
    checks=$((checks + 1))
done
expect 1 '' --dir "$work/killed" --core "$core" "$work/inputs"
[ "$(open_buckets "$work/killed")" = 3 ] || fail "after kills $(open_buckets "$work/killed") are open"
expect 1 '' --list --dir "$work/killed"
awk '/^open/ {n += $3} END {exit n != 45}' "$work/out" || fail "after kills counts are wrong: $(cat "$work/out")"
finish triage 60
