#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docs/pin-world.md says what the code says: the tables of rules, actors and answers row by row, and every invariant of the
# model by its words. doc.sh <doc_rows> <root>
set -u

rows=$1 root=$2
doc=$root/docs/pin-world.md
failed=0 looked=0

report() {
    echo "docs/pin-world.md: $1"
    failed=1
}

while IFS= read -r line; do
    looked=$((looked + 1))
    grep -Fxq -- "$line" "$doc" || report "lacks the row: $line"
done < <("$rows")
[ "$looked" -gt 50 ] || report "only $looked rows were looked at"
while IFS= read -r line; do
    "$rows" | grep -Fxq -- "$line" || report "a row that the code does not have: $line"
done < <(grep '^| `' "$doc")

said=$(grep -ohE '(wrong = |return |\? NULL : |\? )"[a-z][^"%]*"( : "[^"]*")?' "$root"/fuzz/pin/sound*.c | grep -oE '"[^"]+"' | tr -d '"' | sort -u)
[ "$(wc -l <<<"$said")" -gt 30 ] || report "too few invariants were found in fuzz/pin/sound*.c"
while IFS= read -r words; do
    looked=$((looked + 1))
    grep -Fxq -- "- $words" "$doc" || report "lacks the invariant: $words"
done <<<"$said"
while IFS= read -r line; do
    grep -Fxq -- "${line#- }" <<<"$said" || report "an invariant that the code does not have: ${line#- }"
done < <(sed -n '/^## What must hold/,/^## /p' "$doc" | grep '^- ')
echo "$looked rows and invariants"
exit $failed
