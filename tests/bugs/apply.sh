#!/bin/bash
# SPDX-License-Identifier: MIT
# apply.sh CORE OUT-PREFIX PATCH... -- FILE...: copies FILEs of the folder CORE, applies the patches to the copies, without
# fuzz, and leaves them as OUT-PREFIX-FILE. A patch that does not apply, or that changes another file, is an error.
set -u

core=$1 prefix=$2
shift 2
patches=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    patches+=("$1")
    shift
done
shift

command -v patch >/dev/null || { echo 'tests/bugs: the command patch is needed (package patch)' >&2; exit 1; }
fail() {
    printf 'tests/bugs: %s\n' "$*" >&2
    exit 1
}

scratch=$(mktemp -d) || fail "no temporary folder"
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/core" || fail "no temporary folder"
for file in "$@"; do
    cp "$core/$file" "$scratch/core/$file" || fail "core/$file: cannot be copied"
done
for patch in "${patches[@]}"; do
    name=${patch##*/}
    said=$(cd "$scratch" && patch -p1 -F0 --no-backup-if-mismatch -r - -i "$patch" 2>&1) ||
        fail "$name does not apply to core/ any more; bring its context up to date. patch says: ${said//$'\n'/ }"
done
for file in "$@"; do
    cmp -s "$core/$file" "$scratch/core/$file" && fail "core/$file: none of ${patches[*]##*/} changes it; correct the list in tests/bugs/meson.build"
    cp "$scratch/core/$file" "$prefix-$file" || fail "$prefix-$file: cannot be written"
done
exit 0
