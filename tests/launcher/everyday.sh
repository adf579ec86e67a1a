#!/usr/bin/env bash
# The launcher on ordinary days: the first call, later calls, changed sources, arguments, other systems, counts.
set -u
# shellcheck source=tests/launcher/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

begin "first call builds, the second touches nothing"
run 0 show x
prints "[show][x]root=$project"
says "configuring build/gcc"
not_called 'apt-get'
fake ninja </dev/null
fake meson </dev/null
run 0 show x
check "silent" test ! -s "$err"
not_called '^(ninja|meson)'

scenario="arguments"
run 0 show --yes a
prints "[show][a]root"
run 0 show -- --yes
prints "[show][--][--yes]root"
run 0 show "two words" ''
prints "[show][two words][]root"
run 7 exit 7
run 2
run 0 --help
prints "usage: faultline"
ln -s "$project/faultline" "$tmp/link"
check "through a link, from elsewhere" test "$(cd / && PATH=$tmp/bin "$tmp/link" show)" = "[show]root=$project"

begin "help installs and builds nothing"
run 0 fuzz --help
prints "usage: faultline"
check "no build folder" test ! -e "$project/build"

begin "sources changed"
run 0 show
touch "$project/tools/tiny.c"
run 0 show
says "building build/gcc"
run 0 show
check "silent again" test ! -s "$err"
echo "// new" >"$project/core/new.c"
run 0 show
check "a new file is looked at and needs no build" test ! -s "$err"
mv "$project" "$tmp/moved"
project=$tmp/moved
run 0 show
prints "root=$tmp/moved"
says "configuring build/gcc"
project=$tmp/a\ project
rm -rf "$tmp/moved"

begin "the engine decides the build folders"
run 0 show
fake meson <<<'echo "ERROR: no compiler"; exit 1'
run 2 fuzz
says "configuring build/libfuzzer (clang)"
run 2 fuzz --engine afl
says "configuring build/afl (afl-clang-fast)"
check "not libFuzzer" not grep -q libfuzzer "$err"
run 2 fuzz --engine=both
says "configuring build/libfuzzer (clang)"
run 2 fuzz -e afl
says "configuring build/afl (afl-clang-fast)"
run 2 fuzz --time 3 -eafl
says "configuring build/afl (afl-clang-fast)"
run 2 fuzz --eng=both
says "configuring build/libfuzzer (clang)"
run 0 fuzz --engine nonsense

begin "build elsewhere"
export FAULTLINE_BUILD=$tmp/elsewhere
run 0 show
check "built there" test -x "$tmp/elsewhere/gcc/tools/faultline"
check "not here" test ! -e "$project/build"
unset FAULTLINE_BUILD

begin "a system without apt"
rm "$tmp"/bin/apt-get "$tmp"/bin/dpkg-query "$tmp"/bin/apt-cache
run 0 show
rm -rf "$project/build" "$tmp/bin/meson" "$tmp/pc/zlib.pc"
run 2 show
one_line "missing: the command meson, the pkg-config module zlib"
ln -sf "$tmp/real-meson" "$tmp/bin/meson"
module zlib 1.3
module unicorn 2.0.1
run 2 show
one_line "missing: Unicorn >= 2.1"
mkdir "$tmp/own"
printf 'Name: unicorn\nDescription: own\nVersion: 2.2\n' >"$tmp/own/unicorn.pc"
PKG_CONFIG_PATH=$tmp/own run 0 show

begin "the user's own Unicorn comes first"
module unicorn 2.0.1
PKG_CONFIG_PATH=$tmp/own run 0 show
not_called 'apt-get'
check "nothing fetched" test ! -e "$project/build/deps"

begin "doctor"
printf '%s\n' gcc libc6-dev meson ninja-build pkgconf libjansson-dev clang libclang-rt-dev afl++ >"$state/installed"
run 0 doctor
prints "Everything required is there."
run 0 doctor --json
check "JSON" python3 -m json.tool "$out" /dev/null
rm "$tmp/pc/zlib.pc"
run 1 doctor
run 1 doctor --json
check "JSON says it" python3 -c 'import json,sys; sys.exit(json.load(open(sys.argv[1]))["missing_required"] != 1)' "$out"
run 2 doctor --jsno
one_line "doctor: unknown argument '--jsno'"
check "changes nothing" test ! -e "$project/build"

begin "test counts"
touch "$tmp/bin/clang-format" "$tmp/bin/shellcheck" 2>/dev/null
run 2 test --fast
one_line "test: unknown argument '--fast'"
printf '%s\n' clang-format shellcheck >>"$state/installed"
run 0 test --quick
check "last line" test "$(tail -n 1 "$out")" = "2 passed, 0 failed, 1 skipped"
sed -i "s/'c': '0'/'c': '1'/" "$project/meson.build"
run 1 test --quick
check "last line" test "$(tail -n 1 "$out")" = "1 passed, 1 failed, 1 skipped"
sed -i "s/{'a': '0', 'b': '77', 'c': '1'}/{'b': '77'}/" "$project/meson.build"
run 1 test --quick
check "nothing but skipped is no pass" test "$(tail -n 1 "$out")" = "0 passed, 1 failed, 1 skipped"
echo "nonsense(" >>"$project/meson.build"
run 1 test --quick
check "no build is a failure" test "$(tail -n 1 "$out")" = "0 passed, 1 failed, 0 skipped"

finish
