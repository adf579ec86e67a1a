#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline bisect over a small repository with a copy of core/ in it, in which one commit brings a bug and two do not
# compile.
#   bisect.sh ROOT FAULTLINE BUG-CORE
# BUG-CORE has that bug: a campaign found it.
# Exit code 77: there is no git or no compiler here.
set -uo pipefail
root=$1 program=$2 bug=$3
# shellcheck source=tests/promote/common.sh
. "$root/tests/promote/common.sh"
for tool in git cc ninja patch tar; do
    command -v $tool >/dev/null || { echo "$tool is not installed: bisect cannot be tested"; exit 77; }
done
repo=$work/repo
export FAULTLINE_ROOT=$repo FAULTLINE_BUILD=$work/build
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$work
export GIT_AUTHOR_NAME=Somebody GIT_AUTHOR_EMAIL=somebody@example.org GIT_COMMITTER_NAME=Somebody
export GIT_COMMITTER_EMAIL=somebody@example.org GIT_AUTHOR_DATE='2026-11-20T12:00:00Z' GIT_COMMITTER_DATE='2026-11-20T12:00:00Z'

commit() { # SUBJECT, as the tag that is its first word
    git -C "$repo" add -A && git -C "$repo" commit -q -m "$1" && git -C "$repo" tag "${1%%:*}"
}

mkdir -p "$repo/docs"
cp -r "$root/core" "$repo/core"
git -C "$repo" init -q || exit 1
commit "start: the core"
echo '/* One. */' >>"$repo/core/vma.c" && commit "one: a comment"
echo 'Words.' >"$repo/docs/words" && commit "words: nothing of the core"
echo '/* Two. */' >>"$repo/core/area.c" && commit "two: a comment"
cp "$repo/core/walk.c" "$work/walk.c"
echo 'this is no C' >>"$repo/core/walk.c" && commit "broken: does not compile"
echo '/* Three. */' >>"$repo/core/area.c" && commit "still: does not compile either"
cp "$work/walk.c" "$repo/core/walk.c" && commit "mended: compiles"
patch -s -p1 -d "$repo" -i "$root/tests/bugs/prefetch-window.patch" && commit "bug: the scanner's window"
echo '/* Four. */' >>"$repo/core/format.c" && commit "four: a comment"
echo 'More.' >>"$repo/docs/words" && commit "more: nothing of the core"
sed -i 's/#define FL_CORE_ABI 2u/#define FL_CORE_ABI 99u/' "$repo/core/include/faultline/core.h" && commit "abi: another interface"
git -C "$repo" revert --no-edit HEAD >/dev/null && git -C "$repo" tag back
echo '/* Five. */' >>"$repo/core/format.c" && commit "five: a comment"
[ "$(git -C "$repo" rev-list --count HEAD)" = 13 ] || { echo "the repository was not made"; exit 1; }

cat >"$work/window.scn" <<'TEXT'
faultline-scenario 2
# The scanner gives up one byte too early.
# finding: prefetch/rule/ignored/not-ignored
mode 4level
vendor amd
family 15

decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 18
TEXT
state() { { git -C "$repo" status --porcelain; git -C "$repo" for-each-ref; git -C "$repo" worktree list; find "$repo/.git" | sort; } | sha256sum; }
before=$(state)

# ---- found; the commits that do not touch core/ are not even looked at
run 0 bisect "$work/window.scn" --good start --bad HEAD
says '^first bad commit:$'
says "^  $(git -C "$repo" rev-parse --short bug) bug: the scanner's window$"
says '^    2026-11-20T12:00:00(Z|\+00:00), Somebody$'
says '^    core/prefetch\.c$'
says '^prefetch/rule/ignored/not-ignored: [0-9]+ revisions built of 1[01], '
complains 'left, about [0-9]+ steps'
holds "$(state)" = "$before"
holds ! -e "$FAULTLINE_BUILD/bisect/work"
run 0 bisect "$work/window.scn" --good start --json
says '"found": true'
says '"subject": "bug: the scanner'"'"'s window"'
holds ! -s "$work/err"

# ---- a bucket of the campaign, whose reason says it afterwards; a regression by its number
run 1 triage --core "$bug" "$work/window.scn"
run 0 bisect prefetch/rule --good mended --bad four
says "bug: the scanner's window"
run 1 triage --list --json
says "first bad commit $(git -C "$repo" rev-parse --short bug): bug: the scanner's window"
# ... in place of what an earlier one found; and what was decided in the meantime, here by a compiler, stays
cat >"$work/not-ccache" <<COMPILER
#!/bin/sh
[ -e "$work/decided" ] || { : >"$work/decided"; "$(realpath "$program")" triage --status prefetch/rule invalid --reason 'by hand'; } >&2
exec cc "\$@"
COMPILER
chmod +x "$work/not-ccache"
CC=$work/not-ccache run 0 bisect prefetch/rule --good mended --bad four
run 0 triage --list --json
says '"status": "invalid"'
says "\"reason\": \"by hand; first bad commit $(git -C "$repo" rev-parse --short bug): bug: the scanner's window\""

# ---- a file says as which target it is judged: here one that skips it
sed 's/^# finding: .*/&\n# target: vmalloc (and more words)/' "$work/window.scn" >"$work/vmalloc.scn"
run 2 bisect "$work/vmalloc.scn" --good mended --bad four
complains 'cannot be judged: no event of the scenario is judged'
sed 's/^# target: vmalloc/# target: prefetch/' "$work/vmalloc.scn" >"$work/prefetch.scn"
run 0 bisect "$work/prefetch.scn" --good mended --bad four
says "bug: the scanner's window"
mkdir -p "$repo/corpus/regressions"
cp "$work/window.scn" "$repo/corpus/regressions/0041-window.scn"
run 0 bisect 41 --good mended --bad four
says "bug: the scanner's window"
rm -r "$repo/corpus"

# ---- what cannot be judged is passed over: found across it, and told where it hides the commit
run 0 bisect "$work/window.scn" --good mended --bad back
says 'bug: the scanner'
git -C "$repo" checkout -q -b hidden two
echo 'this is no C' >>"$repo/core/walk.c"
patch -s -p1 -d "$repo" -i "$root/tests/bugs/prefetch-window.patch" && commit "hidden-bug: bug, and does not compile"
cp "$work/walk.c" "$repo/core/walk.c" && commit "hidden-end: compiles"
run 1 bisect "$work/window.scn" --good two --bad hidden-end
says 'is one of these'
says 'hidden-bug: bug, and does not compile'
says 'hidden-end: compiles'
complains 'skipped: .*does not compile; the compiler'

# ---- across a merge
git -C "$repo" checkout -q -b side one
echo '/* Six. */' >>"$repo/core/text.c" && commit "six: a comment"
patch -s -p1 -d "$repo" -i "$root/tests/bugs/prefetch-window.patch" && commit "side-bug: the window again"
git -C "$repo" checkout -q -b joined two && git -C "$repo" merge -q --no-edit side >/dev/null
run 0 bisect "$work/window.scn" --good one --bad joined
says 'side-bug: the window again'

# ---- the ends are not what they should be
run 2 bisect "$work/window.scn" --good bug --bad five
complains '^faultline: bisect: --good .* diverges too, with prefetch/rule/ignored/not-ignored: give an older one$'
run 2 bisect "$work/window.scn" --good start --bad mended
complains '^faultline: bisect: --bad .* is clean'
run 2 bisect "$work/window.scn" --good five --bad start
complains 'does not come before'
run 2 bisect "$work/window.scn" --good broken --bad five
complains '^faultline: bisect: --good .* cannot be judged: .*does not compile'
run 2 bisect "$work/window.scn" --good start --bad abi
complains '^faultline: bisect: --bad .* cannot be judged: .*interface 99'
run 2 bisect "$work/window.scn" --good nothing-of-this-name
complains 'nothing-of-this-name" is no commit'
run 2 bisect "$work/window.scn"
complains '--good is needed'
run 2 bisect "$work/nowhere.scn" --good start
complains 'nowhere.scn: No such file'
run 2 bisect some/key --good start
FAULTLINE_ROOT=$work run 2 bisect "$work/window.scn" --good start
complains 'not a git repository'
mkdir "$work/bin"
for tool in env bash; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
PATH=$work/bin run 2 bisect "$work/window.scn" --good start
complains 'git is not installed'

# ---- interrupted, killed: nothing is left in the repository, and the next one goes on
mkdir -p "$FAULTLINE_BUILD/bisect/work/core" && touch "$FAULTLINE_BUILD/bisect/work/core/left.c"
"$program" bisect "$work/window.scn" --good start >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 100); do [ -e "$FAULTLINE_BUILD/bisect/work/build.ninja" ] && break; sleep 0.05; done
run 2 bisect "$work/window.scn" --good start
complains 'another bisect is running here'
kill -TERM $pid 2>/dev/null
wait $pid
holds $? = 2
holds ! -e "$FAULTLINE_BUILD/bisect/work"
"$program" bisect "$work/window.scn" --good start >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 100); do [ -e "$FAULTLINE_BUILD/bisect/work/build.ninja" ] && break; sleep 0.05; done
kill -KILL $pid
wait $pid 2>/dev/null
run 0 bisect "$work/window.scn" --good start --bad five
says 'bug: the scanner'
holds -z "$(git -C "$repo" status --porcelain)"

end_checks
