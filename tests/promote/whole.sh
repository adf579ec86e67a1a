#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline bisect --whole: each revision is built with its own meson.build, and its own program is asked.
#   whole.sh ROOT FAULTLINE
# Exit code 77: there is no git or no meson here.
set -uo pipefail
root=$1 program=$2
# shellcheck source=tests/promote/common.sh
. "$root/tests/promote/common.sh"
for tool in git meson ninja patch tar; do
    command -v $tool >/dev/null || { echo "$tool is not installed: bisect --whole cannot be tested"; exit 77; }
done
repo=$work/repo
export FAULTLINE_ROOT=$repo FAULTLINE_BUILD=$work/build
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$work
export GIT_AUTHOR_NAME=Somebody GIT_AUTHOR_EMAIL=somebody@example.org GIT_COMMITTER_NAME=Somebody
export GIT_COMMITTER_EMAIL=somebody@example.org

commit() {
    git -C "$repo" add -A && git -C "$repo" commit -q -m "$1" && git -C "$repo" tag "${1%%:*}"
}

mkdir "$repo"
git -C "$repo" init -q || exit 1
for part in core oracle fuzz tools tests corpus docs meson.build meson_options.txt; do cp -r "$root/$part" "$repo/$part"; done
commit "start: all of it"
sed -i 's/^#define MAX_INSTRUCTION 15u/#define MAX_INSTRUCTION 14u/' "$repo/core/prefetch.c"
commit "bug: the scanner's window"
echo '# A comment.' >>"$repo/meson.build" && commit "end: a comment"

cat >"$work/window.scn" <<'TEXT'
faultline-scenario 2
mode 4level
vendor amd
family 15

decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 18
TEXT
run 0 bisect --whole "$work/window.scn" --good start
says "bug: the scanner's window"
says '^prefetch/rule/ignored/not-ignored: 3 revisions built of 2, 0 of them passed over'
[ $failures = 0 ] || tail -n 20 "$work/build/bisect/log"
end_checks
