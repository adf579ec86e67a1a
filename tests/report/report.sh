#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline report as people meet it: what it writes, where, and what it says to what it cannot read.
# usage: report.sh FAULTLINE SAMPLE, where SAMPLE is the built sample.c
set -uo pipefail
program=$(realpath -- "$1") sample=$(realpath -- "$2")
here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

check() {
    checks=$((checks + 1))
    "${@:2}" || fail "$1"
}

# expect CODE PATTERN ARGUMENT...: exit code; standard error is one line that matches, or empty when the pattern is.
expect() {
    local code=$1 pattern=$2 got
    shift 2
    "$program" report "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] || fail "report $*: exit code $got, expected $code: $(head -c 300 "$work/err")"
    if [ -z "$pattern" ]; then
        [ ! -s "$work/err" ] || fail "report $*: it says $(head -c 300 "$work/err")"
    elif [ "$(wc -l <"$work/err")" != 1 ] || ! grep -qE "$pattern" "$work/err"; then
        fail "report $*: it says \"$(head -c 300 "$work/err")\", expected /$pattern/"
    fi
}

# A Chart.js of our own: what is tested here does not depend on the one that the system has.
printf '/* a stand-in */ var Chart = 1;\n//# sourceMappingURL=elsewhere\n' >"$work/chart.js"
unset FAULTLINE_CORE
export FAULTLINE_CHART_JS=$work/chart.js FAULTLINE_ROOT=$here/../..
for kind in plain short hostile empty clean; do
    "$sample" $kind "$work/$kind" || fail "$kind cannot be made"
done

# ---- where it goes
expect 0 '' "$work/plain"
check "it names the page" grep -qx "$work/plain/report.html" "$work/out"
check "the page is there" test -s "$work/plain/report.html"
check "nothing else is left" test "$(find "$work/plain" -name 'report*' | wc -l)" = 1
expect 0 '' "$work/plain" --output "$work/page.html"
check "the page is there" test -s "$work/page.html"
expect 0 '' "$work/plain" --output - --no-explain
check "on standard output" grep -q '^<!doctype html>' "$work/out"
mkdir "$work/build"
cp -R "$work/clean" "$work/build/campaign"
FAULTLINE_BUILD=$work/build expect 0 ''
check "the folder by default" test -s "$work/build/campaign/report.html"
expect 0 '' "$work/empty"
expect 0 '' "$work/short"
"$program" report "$work/plain" -o - >/dev/full 2>"$work/err"
check "a full output is told" test $? = 2
expect 2 'cannot write' "$work/plain" --output "$work/nowhere/page.html"
printf 'before' >"$work/kept.html"
mkdir "$work/shut"
cp "$work/kept.html" "$work/shut/"
chmod a-w "$work/shut"
if [ ! -w "$work/shut" ]; then # root may write anywhere
    expect 2 'cannot write' "$work/plain" --output "$work/shut/kept.html"
fi
check "what was there stays" cmp -s "$work/kept.html" "$work/shut/kept.html"

# ---- what is in it
page=$work/page.html
has() { grep -qF -- "$1" "$page"; }
for text in 'Content-Security-Policy content="default-src' '<strong>2 findings are open</strong>' \
    'decision/user-segv-maperr/signal:SEGV_MAPERR/handled' '<article class="explain" id="explain1"' 'id=chart-edges' \
    'id=heat' 'vmalloc-libfuzzer-0' 'its time is over' 'unicorn 2.1.1' 'a stand-in' 'role=img aria-label="Chart: Edges over'; do
    check "the page has $text" has "$text"
done
check "no other file is named in the library" test "$(grep -c sourceMappingURL "$page")" = 0
check "no address but its own" test "$(grep -oE '(src|href)="?(https?:|//)' "$page" | wc -l)" = 0
check "each finding is explained" test "$(grep -c '<article class="explain"' "$page")" = 4
check "a replay is of the file where it is" has "./faultline repro --target fault $work/plain/findings/decision-user-segv-maperr.scn"
check "and again" has "faultline explain --dir $work/plain decision/user-segv-maperr"
cp -R "$work/plain" "$work/it's plain"
expect 0 '' "$work/it's plain" --output "$page"
check "as words of a shell" has "faultline explain --dir &#39;$work/it&#39;\\&#39;&#39;s plain&#39; decision/user-segv-maperr"
expect 2 'no such file' "$work/plain" --output "$work/none.html" --core "$work/none.so"
FAULTLINE_CORE=$work/none.so expect 2 'no such file' "$work/plain" --output "$work/none.html"
python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("INSERT INTO option (name, value) VALUES (?, ?)", ("core", "/gone/core.so"))
db.commit()' "$work/it's plain/campaign.db"
expect 2 "/gone/core.so: .*the campaign's own core" "$work/it's plain" --output "$work/none.html"
check "no page of a core that is not there" test ! -e "$work/none.html"
expect 0 '' "$work/it's plain" --output "$page" --core ''
expect 0 '' "$work/it's plain" --output "$page" --no-explain
expect 0 '' "$work/plain" --output "$page" --no-explain
check "--no-explain" test "$(grep -c '<article' "$page")" = 0
check "the scenario instead" has 'fault cr2 0x10002000 code 0x4'
expect 0 '' "$work/hostile" --output "$page"
check "hostile: only our elements" test "$(grep -ciE '<(img|iframe)' "$page")" = 0
check "hostile: two scripts" test "$(grep -oi '<script' "$page" | wc -l)" = 2
check "hostile: text" has '&lt;/script&gt;&lt;script&gt;alert(1)'
check "hostile: no control characters" test "$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]' "$page")" = 0
check "hostile: UTF-8" iconv -f UTF-8 -t UTF-8 "$page" -o /dev/null
expect 0 '' "$work/short" --output "$page"
rows() { sed -n '/id=chart-edges/,/<\/figure>/p' "$page" | grep -c '<th scope=row data-t='; }
check "20 seconds give $(rows) rows" test "$(rows)" -ge 15

# ---- Chart.js
for text in '</script>' 'no library' '<!-- Chart'; do
    printf '%s Chart\n' "$text" >"$work/bad.js"
    [ "$text" = 'no library' ] && printf 'something else' >"$work/bad.js"
    FAULTLINE_CHART_JS=$work/bad.js expect 0 'no pictures, only tables' "$work/short" --output "$page"
    check "$text is not put into the page" test "$(grep -c '<script>' "$page")" = 1
    check "the page says so" has 'Without pictures'
done

# ---- bug benchmarks
cp "$here/zoo.json" "$work/short/zoo.json"
expect 0 '' "$work/short" --output "$page"
check "benchmarks" has '2 of 3 were detected'
check "no detection counts with the whole budget" has '<td class=n>172.8<td><meter'
check "names are escaped" has '020-&lt;b&gt;never'
for text in '' '{' '[]' '{"format": 2}' '{"format": 1, "budget": 0, "bugs": []}' '{"format": 1, "budget": 3, "bugs": [{}]}' \
    '{"format": 1, "budget": 3, "bugs": [{"name": "x", "trials": [3]}]}' \
    '{"format": 1, "budget": 3, "bugs": [{"name": "x", "trials": []}]}' \
    '{"format": 1, "budget": 3, "bugs": [{"name": "x", "trials": [{"reached": "soon"}]}]}'; do
    printf '%s' "$text" >"$work/short/zoo.json"
    expect 2 'zoo.json[:0-9]*: ' "$work/short" --output "$page"
done

# ---- annotated source
mkdir "$work/a & b"
expect 2 'index.html: .*--source wants' "$work/clean" --source "$work/a & b" --output "$page"
echo x >"$work/a & b/index.html"
expect 0 '' "$work/clean" --source "$work/a & b" --output "$page"
check "a relative link" has '<a href="a%20%26%20b/index.html">'
mkdir "$work/pages"
expect 0 '' "$work/clean" --source "$work/a & b" --output "$work/pages/x.html"
page=$work/pages/x.html
check "a link to elsewhere" has "<a href=\"file://$(realpath "$work")/a%20%26%20b/index.html\">"

"$program" report "$work/clean" --source auto >"$work/out" 2>"$work/err"
check "auto needs a corpus" test $? = 2
check "and says so" grep -qE -- '--source auto: .*(no corpus to replay|is not here)' "$work/err"

mkdir -p "$work/clean/corpus-v2/walk" "$work/clean/source"
echo x >"$work/clean/corpus-v2/walk/1"
echo mine >"$work/clean/source/index.html"
"$program" report "$work/clean" --source auto >"$work/out" 2>"$work/err"
check "auto does not write over what is somebody's" test $? = 2
check "and says so" grep -qE -- '--source auto: .*(nothing that llvm-cov wrote|is not here)' "$work/err"
check "it is still there" grep -qx mine "$work/clean/source/index.html"

# ---- findings whose files are gone, or are something else
rm "$work/plain/findings/rewalk-synced.scn"
printf 'faultline-scenario 1\nmode 6level\n' >"$work/plain/findings/prefetch-rule.scn"
expect 0 '' "$work/plain" --output "$page"
check "a file that is gone" has 'Its scenario cannot be read'
check "a file that is no scenario is shown as it is" has 'mode 6level'

# ---- folders that are none
expect 2 'no such campaign folder' "$work/nowhere"
expect 2 'no campaign.db' "$work/pages"
head -c 5000 /dev/urandom >"$work/pages/campaign.db"
expect 2 'campaign.db: not a database' "$work/pages"
"$program" report a b >/dev/null 2>&1
check "two folders" test $? = 2

echo "report: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -gt 50 ]
