#!/usr/bin/env bash
# The launcher in trouble: each is told in one clear line with exit code 2, and the next call recovers.
# The text of the fakes is for the fakes to expand.
# shellcheck disable=SC2016
set -u
# shellcheck source=tests/launcher/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

begin "packages are installed without a question when there is no terminal"
rm "$tmp/pc/zlib.pc" "$tmp/pc/capstone.pc"
echo libcapstone-dev >"$state/offered"
if [ "$EUID" = 0 ]; then
    run 0 show
    says "installing 2 package(s): zlib1g-dev libcapstone-dev"
    called 'apt-get .* --no-install-recommends install zlib1g-dev libcapstone-dev$'
fi

if [ "$EUID" = 0 ]; then
    begin "an optional package that this system does not have"
    rm "$tmp/pc/capstone.pc"
    run 0 show
    says "this system does not offer libcapstone-dev: going on without"
    touch "$project/tools/tiny.c"
    : >"$state/calls"
    run 0 show
    not_called 'apt-get'

    begin "no network"
    rm "$tmp/pc/zlib.pc"
    echo no-network >"$state/apt"
    run 2 show
    one_line "cannot install packages: download failed"
    echo ok >"$state/apt"
    run 0 show

    begin "an apt killed earlier"
    rm "$tmp/pc/zlib.pc"
    echo interrupted >"$state/apt"
    fake dpkg <<<'exit 0'
    run 0 show
    called '^dpkg --configure -a'
    ln -sf /usr/bin/dpkg "$tmp/bin/dpkg"

    begin "another apt is running"
    rm "$tmp/pc/zlib.pc"
    echo locked >"$state/apt"
    run 2 show
    one_line "cannot install packages: another package manager is running"

    begin "no root and no sudo"
    rm "$tmp/pc/zlib.pc"
    chmod 755 "$tmp"
    chown -R 65534:65534 "$project" "$state"
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$project/faultline" show >"$out" 2>"$err" </dev/null
    check "exit code 2" test $? = 2
    one_line "cannot install packages: not root, and there is no sudo; as root run: apt-get install zlib1g-dev"
    fake sudo <<<'[ "$1" != -n ] || shift; [ "$1" != true ] || exit 0; exec "$@"'
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$project/faultline" show >"$out" 2>"$err" </dev/null
    check "with sudo it works" test $? = 0
    called '^sudo env .*apt-get .* install zlib1g-dev$'
    fake sudo <<<'echo "sudo: a password is required" >&2; exit 1'
    rm -rf "$project/build"
    echo libc6-dev >"$state/installed"
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$project/faultline" show >"$out" 2>"$err" </dev/null
    check "exit code 2" test $? = 2
    one_line "cannot install packages: sudo refused or needs a password"
    rm "$tmp/bin/sudo"
fi

# Needs a terminal of its own, which a bare chroot cannot give.
if [ "$EUID" = 0 ] && script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    begin "the answer is no"
    rm "$tmp/pc/zlib.pc"
    : >"$err"
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc script -qec "\"$project/faultline\" show" /dev/null <<<"n" >"$out" 2>&1
    check "exit code 2" test $? = 2
    prints "needs 1 package(s): zlib1g-dev"
    prints "not installed: zlib1g-dev"
    not_called 'apt-get'
    : >"$state/calls"
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc script -qec "\"$project/faultline\" show --yes" /dev/null </dev/null >"$out" 2>&1
    check "--yes asks nothing" test $? = 0
    called 'install zlib1g-dev'
fi

if command -v dpkg-deb >/dev/null && [ -r /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    begin "Unicorn: failed download, half-made prefix, recovery"
    module unicorn 2.0.1
    echo libunicorn-dev >"$state/offered"
    mkdir -p "$tmp/deb/DEBIAN" "$tmp/deb/usr/lib/any/pkgconfig" "$tmp/deb/usr/include/unicorn"
    printf 'Package: libunicorn-dev\nVersion: 2.1.1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' >"$tmp/deb/DEBIAN/control"
    printf 'Name: unicorn\nVersion: 2.1.1\n' >"$tmp/deb/usr/lib/any/pkgconfig/unicorn.pc"
    : >"$tmp/deb/usr/include/unicorn/unicorn.h"
    : >"$tmp/deb/usr/lib/any/libunicorn.so"
    dpkg-deb -b "$tmp/deb" "$state/u.deb" >/dev/null
    echo no-download >"$state/apt"
    run 2 show
    one_line "cannot fetch Unicorn: download failed"
    check "no prefix" test ! -e "$project/build/deps/unicorn"
    # A set-up killed between unpacking and renaming, and one whose prefix never became ready.
    mkdir -p "$project/build/deps/unicorn.tmp/root/usr" "$project/build/deps/unicorn/usr"
    echo ok >"$state/apt"
    run 0 show
    says "fetching Debian 13's Unicorn"
    check "prefix is ready" test -f "$project/build/deps/unicorn/ready"
    check "nothing half-made is left" test ! -e "$project/build/deps/unicorn.tmp"
    check "run path" grep -q '^Libs: .*-Wl,-rpath,' "$project/build/deps/unicorn/pkgconfig/unicorn.pc"
    check "no network the second time" test "$(count_calls ' download ')" = 2
    rm -rf "$project/build/gcc"
    run 0 show
    check "still none" test "$(count_calls ' download ')" = 2

    begin "Unicorn: the system's package when it is new enough"
    rm "$tmp/pc/unicorn.pc"
    echo libunicorn-dev >"$state/offered"
    echo 2.1.1-2 >"$state/version"
    if [ "$EUID" = 0 ]; then
        run 2 show
        called 'install libunicorn-dev'
    fi
fi

# killed_in TOOL FILE: starts a set-up whose TOOL makes FILE and hangs, and kills all of it without warning.
killed_in() {
    fake "$1" <<<"mkdir -p \"$project/build/gcc\"; : >\"$2\"; exec sleep 60"
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc setsid "$project/faultline" show >"$out" 2>"$err" </dev/null &
    local pid=$! n=0
    while [ ! -e "$2" ] && [ $n -lt 100 ]; do
        sleep 0.1
        n=$((n + 1))
    done
    check "$1 was running" test -e "$2"
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    ln -sf "$tmp/real-$1" "$tmp/bin/$1"
}

begin "killed while configuring"
killed_in meson "$project/build/gcc/build.ninja"
run 0 show
prints "[show]"

begin "killed while building"
run 0 show
touch "$project/tools/tiny.c"
killed_in ninja "$project/build/hanging"
run 0 show
says "building build/gcc"

begin "a damaged build folder"
run 0 show
echo "broken (" >"$project/build/gcc/build.ninja"
touch "$project/tools/tiny.c"
run 0 show
says "starting build/gcc afresh"

begin "two at once"
PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc "$project/faultline" show >"$tmp/out2" 2>"$tmp/err2" </dev/null &
other=$!
run 0 show
wait $other
check "the other one too" test $? = 0
check "one of them configured" test "$(cat "$err" "$tmp/err2" | grep -c configuring)" = 1

begin "an error in the sources"
run 0 show
echo "oops" >>"$project/tools/tiny.c"
run 2 show
one_line "cannot build build/gcc: see the lines above, the whole output is in build/setup.log"
says "tiny.c"
sed -i '$d' "$project/tools/tiny.c"
run 0 show
echo "nonsense(" >>"$project/meson.build"
run 2 show
one_line "cannot build build/gcc"
sed -i '$d' "$project/meson.build"
run 0 show

begin "an earlier version of meson"
run 0 show
fake ninja <<<'[ -e "$S/told" ] && exec "'"$tmp"'/real-ninja" "$@"; case "$*" in *-n*) exit 1 ;; esac; : >"$S/told"; echo "ERROR: Build directory has been generated with Meson version 0.1"; exit 1'
touch "$project/tools/tiny.c"
run 0 show
says "starting build/gcc afresh"

begin "no place to build"
export FAULTLINE_BUILD=/proc/nowhere
run 2 show
one_line "cannot write to /proc/nowhere/"
run 2 test
one_line "cannot write to /proc/nowhere/"
unset FAULTLINE_BUILD
begin "not a whole copy"
rm "$project/meson.build"
run 2 show
one_line "meson.build is missing"

finish
