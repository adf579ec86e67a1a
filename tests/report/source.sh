#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline report --source auto: the targets are built with counters, replay a corpus, and the page leads to the lines.
# usage: source.sh ROOT FAULTLINE SAMPLE BUILD, where BUILD is a folder to write into
# Exit code 77: clang, llvm-cov or python3 is not here.
set -eu
root=$1 program=$(realpath -- "$2") sample=$(realpath -- "$3") work=$4/source
for tool in clang python3; do
    command -v $tool >/dev/null || {
        echo "skipped: $tool is not here"
        exit 77
    }
done
compgen -G '/usr/lib/llvm-*/bin/llvm-cov' >/dev/null || command -v llvm-cov >/dev/null || {
    echo "skipped: llvm-cov is not here"
    exit 77
}
rm -rf -- "$work"
mkdir -p -- "$work"
"$sample" clean "$work/campaign"
# Every byte string is a scenario.
mkdir -p "$work/campaign/corpus-v2/walk" "$work/campaign/corpus-v2/prefetch"
for ((i = 0; i < 300; i++)); do
    python3 -c "import random, sys; sys.stdout.buffer.write(random.Random($i).randbytes(700))" \
        >"$work/campaign/corpus-v2/walk/$i"
done
cp "$work"/campaign/corpus-v2/walk/1* "$work/campaign/corpus-v2/prefetch/"
FAULTLINE_ROOT=$root FAULTLINE_BUILD=$work/build "$program" report "$work/campaign" --source auto
grep -q '<a href="source/index.html">' "$work/campaign/report.html"
python3 - "$work/campaign/source/index.html" <<'PY'
import re
import sys

rows = re.findall(r"<tr.*?</tr>", open(sys.argv[1]).read(), re.S)
reached = {}
for row in rows:
    text = re.sub(r"<[^>]*>", " ", row)
    found = re.search(r"(\S+\.c)\s.*?\((\d+)/(\d+)\)\s+[\d.]+% \((\d+)/(\d+)\)", text)
    if found:
        reached[found[1]] = int(found[4])
assert reached.get("core/walk.c", 0) > 20 and reached.get("core/prefetch.c", 0) > 5, reached
print(f"source: {len(reached)} files, {sum(reached.values())} lines reached")
PY
