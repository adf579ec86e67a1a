#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline explain as people meet it: buckets of a campaign folder, files, and one clear line for each kind of mistake.
#   cli.sh ROOT FAULTLINE BUGS      BUGS: the folder with bug-*.so
set -uo pipefail
root=$1 program=$2 bugs=$3
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export LC_ALL=C FAULTLINE_BUILD=$work/build
unset FAULTLINE_CORE
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}
# explain CODE PATTERN ARGUMENT...: as in tests/tools/cli.sh: no PATTERN: nothing on standard error; else one line that matches.
explain() {
    local code=$1 pattern=$2 got
    shift 2
    "$program" explain "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "explain $*: exit code $got, expected $code: $(head -c 300 "$work/err")"
    if [ -z "$pattern" ]; then
        [ ! -s "$work/err" ] || fail "explain $*: standard error is not empty: $(head -c 300 "$work/err")"
        return
    fi
    grep -qE "$pattern" "$work/err" || fail "explain $*: says \"$(head -c 300 "$work/err")\", expected /$pattern/"
    grep -q '^Try ' "$work/err" || [ "$(wc -l <"$work/err")" = 1 ] || fail "explain $*: not one line: $(cat "$work/err")"
}
says() { # says PATTERN: a line of the output matches
    checks=$((checks + 1))
    grep -qE -- "$1" "$work/out" || fail "nothing matches /$1/ in: $(head -c 500 "$work/out")"
}

core=$bugs/bug-three.so
printf 'faultline-scenario 2\nmode 4level\nvendor amd\nfamily 15\n\ndecode 64 user: 0f 18 00\n%s\n' \
    'decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 0d' >"$work/prefetch.scn"
cp "$root/corpus/reproductions/14-lazy-mmu.scn" "$work/lazy.scn"

# ---- files
explain 1 '' --core "$core" "$work/prefetch.scn"
says '^  key +prefetch/rule/ignored/not-ignored$'
says 'now +reproduces'
explain 0 '' "$work/prefetch.scn"
says 'Nothing disagrees'
explain 0 '' --core "$core" --target walk "$work/prefetch.scn"
says 'no event was judged'
FAULTLINE_CORE=$core explain 1 '' --width 400 "$work/prefetch.scn"
says "^  core +$core$"
FAULTLINE_CORE=$core explain 0 '' --core '' "$work/prefetch.scn"
# Its comments name the target, an argument comes before them.
sed '1a # target: walk (as triage writes it)' "$work/prefetch.scn" >"$work/target.scn"
explain 0 '' --core "$core" "$work/target.scn"
says 'no event was judged'
explain 1 '' --core "$core" --target all "$work/target.scn"
# What it prints can be pasted into a shell.
cp "$core" "$work/a core'.so"
cp "$work/prefetch.scn" "$work/a b.scn"
explain 1 '' --core "$work/a core'.so" "$work/a b.scn"
again=$(grep -m 1 '^\./faultline repro' "$work/out")
checks=$((checks + 1))
bash -c "${again/.\/faultline/\"\$0\"}" "$program" >"$work/out" 2>&1
[ $? = 1 ] || fail "$again: $(head -c 300 "$work/out")"
"$program" show "$work/prefetch.scn" >"$work/shown.scn"
head -c 200 /dev/urandom >"$work/noise"
explain 0 '' --no-executor "$work/noise"
for form in markdown html json sarif; do
    explain 1 '' --"$form" --core "$core" "$work/lazy.scn"
    says 'sync/current-copy/flushed/not-flushed'
done
explain 0 '' --sarif "$work/lazy.scn"
says '"results": \[\]'
explain 1 '' --core "$core" --width 120 --ascii -o "$work/text" "$work/lazy.scn"
checks=$((checks + 2))
[ ! -s "$work/out" ] || fail "--output, and something on standard output: $(head -c 200 "$work/out")"
grep -q 'What the core did' "$work/text" || fail "--output: $(head -c 200 "$work/text")"
explain 1 '' --core "$core" --c "$work/lazy.scn"
says '^// cc -std=gnu17 '

# ---- buckets
"$program" triage --dir "$work/campaign" --core "$core" "$work/prefetch.scn" "$work/lazy.scn" >/dev/null 2>&1
explain 1 '' --dir "$work/campaign" --core "$core" prefetch
says 'status +open'
says 'severity +high'
says 'first seen'
says '3 of 3 replays'
says '^decode 64 user'
explain 0 '' --dir "$work/campaign" sync/current
says 'no longer reproduces'
explain 1 '' --dir "$work/campaign" --sarif
says '"uri": "findings/sync_'
says '"uri": "findings/prefetch_'
says '"uriBaseId": "CAMPAIGN"'
explain 0 '' --dir "$work/campaign" --sarif sync/current # of one: as it is judged now
says '"results": \[\]'
explain 1 '' --dir "$work/campaign" --core "$core" --sarif sync/current
says '"uri": "findings/sync_'
says '"uri": "file:///.*/campaign/"'
explain 1 '' --core "$core" --sarif "$work/lazy.scn"
says '"uri": "file:///.*/lazy.scn"'
checks=$((checks + 1))
FAULTLINE_CORE=$core "$program" triage --dir "$work/other" "$work/prefetch.scn" >/dev/null 2>&1
[ $? = 1 ] || fail "triage under FAULTLINE_CORE finds nothing"
# The core that the campaign was started with.
started_with() {
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("INSERT OR REPLACE INTO option (name, value) VALUES (?, ?)", ("core", sys.argv[2]))
db.commit()' "$work/campaign/campaign.db" "$1"
}
started_with "$core"
explain 1 '' --width 400 --dir "$work/campaign" sync/current
says "^  core +$core, the campaign's own$"
says "^\./faultline repro .*--core $core "
explain 1 '' --dir "$work/campaign" --sarif sync/current
explain 0 '' --dir "$work/campaign" --core '' sync/current
started_with "$work/gone.so"
explain 2 "gone.so: the campaign's core: No such file" --dir "$work/campaign" sync/current
started_with ''
mkdir -p "$work/build" && cp -r "$work/campaign" "$work/build/campaign"
explain 1 '' --core "$core" --json prefetch/rule # the usual folder
says '"same": true'
explain 1 '' --dir "$work/campaign" --core "$core" --c sync/current

# ---- pinning
cow=$bugs/bug-dirty-cow.so
printf 'faultline-scenario 3\nmode 4level\n\n%s\n%s\n%s\n%s\n' \
    'area file 0x600000 pages 1 flags r,may-read,may-write file 1 size 16' 'act read 0x600000' \
    'race dontneed 0x600000 at ptl-lock nth 2' 'pin user 0x600000 pages 1 flags write,force get' >"$work/cow.scn"
explain 1 '' --core "$cow" --target gup --width 400 "$work/cow.scn"
says '^  key +cow/write-pin/own-page/file-page$'
says 'BETWEEN, before call [0-9]+ \(record 3\): another thread of the process runs madvise\(DONTNEED\) on 0x600000'
says 'the copy in frame 0x[0-9a-f]+ \(anonymous, its own\) is dropped'
says 'page 0 of file 1, count 3. The caller may write to it: others see what it writes'
says 'commits 19be0eaffa3a'
explain 0 '' --target gup "$work/cow.scn"
for form in markdown html json sarif; do
    explain 1 '' --"$form" --core "$cow" "$work/cow.scn"
    says 'cow/write-pin/own-page/file-page'
done
explain 2 'finding of check cow: it is about pinning' --core "$cow" --c "$work/cow.scn"
"$program" repro -v --core "$cow" --target gup "$work/cow.scn" >"$work/out" 2>&1
says 'between: another thread of the process runs madvise\(DONTNEED\) on 0x600000'
says '^  before call [0-9]+, ptl_lock.*: another thread of the process'
"$program" triage --dir "$work/pinned" --core "$cow" "$work/cow.scn" >/dev/null 2>&1
explain 1 '' --dir "$work/pinned" --core "$cow" cow/write-pin
says 'severity +critical'
says '^pin '

# ---- mistakes
explain 2 'a KEY or FILE is needed'
explain 2 'one KEY or FILE' a b
for given in --core=x --target=all --no-executor; do
    explain 2 'without one --sarif judges nothing' --dir "$work/campaign" --sarif $given
done
explain 2 'one of --markdown' --json --html "$work/lazy.scn"
explain 2 'from 40 to 400' --width 10 "$work/lazy.scn"
explain 2 'no target "frob"' --target frob "$work/lazy.scn"
explain 2 'no bucket "nosuch"' --dir "$work/campaign" nosuch
explain 2 'is no campaign folder' --dir "$work/nowhere" prefetch
explain 2 'is no campaign folder' --dir "$work/nowhere" --sarif
explain 2 'nowhere.scn: No such file' "$work/nowhere.scn"
explain 2 'lazy.scn: cannot be loaded' --core "$work/lazy.scn" "$work/prefetch.scn"
explain 2 'cannot write' -o "$work/no/folder/x" "$work/prefetch.scn"
printf 'faultline-scenario 2\nmode 6level\n' >"$work/bad.scn"
explain 2 'bad.scn:2:6: expected' "$work/bad.scn"
explain 2 'folder' "$work"
rm "$work"/campaign/findings/prefetch*
explain 2 'findings/prefetch.*No such file' --dir "$work/campaign" prefetch
head -c 5000 /dev/urandom >"$work/campaign/campaign.db"
rm -f "$work"/campaign/campaign.db-*
explain 2 'campaign.db' --dir "$work/campaign" prefetch
"$program" explain "$work/prefetch.scn" >/dev/full 2>"$work/err"
code=$?
checks=$((checks + 2))
[ $code = 2 ] || fail "/dev/full: exit code $code"
grep -q 'cannot write to standard output' "$work/err" || fail "/dev/full: $(cat "$work/err")"

echo "explain-cli: $checks checks, $failures failures"
[ "$failures" = 0 ] && [ "$checks" -gt 50 ]
