#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Line and branch coverage of core/ by its own tests (of the suites unit, property and exhaustive) and by the suite
# regression. The tests of the other parts run the core too, but for their own ends and for minutes: what only they
# reach counts as untested here.
# usage: coverage.sh ROOT BUILD, where BUILD was configured with -Db_coverage=true (gcc); what these tests need is built here
# Writes to BUILD/coverage/ only. Exit code 77: gcovr is not here. Fails below 100 % of lines or 98 % of branches, and
# prints each place that was not reached; docs/coverage.md says why nothing reaches it.
set -eu
root=$(realpath -- "$1") build=$(realpath -- "$2")

fail() {
    echo "summary: coverage of core/ was not measured: $1"
    exit 1
}

command -v gcovr >/dev/null || {
    echo "gcovr is not installed: coverage cannot be measured"
    exit 77
}
# Nothing is taken out of the count.
! grep -rnE '(G|L)CO(V|VR)_EXCL' "$root/core" || fail "the sources above hide lines from gcovr"

find "$build" -name '*.gcda' -delete
# Meson builds what these suites run first, and nothing else: counters of one text and lines of another would make nonsense
# that looks like a result.
meson test -C "$build" --print-errorlogs --logbase coverage --suite core --suite regression ||
    fail "the build or a test failed"
[ -n "$(find "$build/core" -name '*.gcno' -print -quit)" ] || fail "$build was not configured with -Db_coverage=true"

rm -rf "$build/coverage"
mkdir "$build/coverage"
# From ROOT and by relative names: filters are regular expressions, and ROOT may hold anything.
cd -- "$root"
gcovr --root . --filter core/ --object-directory "$build" --html-details "$build/coverage/core.html" \
    --json "$build/coverage/core.json" --json-summary "$build/coverage/summary.json" "$build/core" ||
    fail "gcovr failed"
python3 - "$build/coverage" core <<'PY'
import glob
import json
import sys

folder, core = sys.argv[1:]
summary = json.load(open(f"{folder}/summary.json"))
problems = []

# gcovr is content where it finds nothing: every file of the core has to be in its report.
seen = set()
print()
for file in summary["files"]:
    seen.add(file["filename"])
    print("{filename:24} {line_covered:5} of {line_total:4} lines {branch_covered:5} of {branch_total:4} branches"
          .format(**file))
for path in sorted(glob.glob(f"{core}/**/*.c", recursive=True)):
    if path not in seen:
        problems.append(f"{path} was not measured")

places = 0
for file in json.load(open(f"{folder}/core.json"))["files"]:
    text = open(file["file"]).read().split("\n")
    for line in file["lines"]:
        if line.get("gcovr/noncode"):
            continue
        branches = line["branches"]
        missed = sum(branch["count"] == 0 for branch in branches)
        if line["count"] and not missed:
            continue
        if not places:
            print("\nnot reached:")
        places += 1
        what = f"{missed} of {len(branches)} branches" if line["count"] else "line"
        print(f"  {file['file']}:{line['line_number']}: {what}: {text[line['line_number'] - 1].strip()}")

lines, all_lines = summary["line_covered"], summary["line_total"]
branches, all_branches = summary["branch_covered"], summary["branch_total"]
if not all_lines or lines < all_lines:
    problems.append("below 100 % of lines")
if not all_branches or 100 * branches < 98 * all_branches:
    problems.append("below 98 % of branches")
print(f"summary: core/: {lines} of {all_lines} lines, {branches} of {all_branches} branches"
      + "".join(f"; {problem}" for problem in problems))
sys.exit(bool(problems))
PY
