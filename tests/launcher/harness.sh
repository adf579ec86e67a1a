# shellcheck shell=bash
# The text of the fakes is for the fakes to expand.
# shellcheck disable=SC2016
# A small project with the real launcher, and a machine of which we decide what it has: PATH holds this machine's
# commands minus the package manager, whose place fakes take. Never run alone.

unset FAULTLINE_BUILD FAULTLINE_ROOT PKG_CONFIG_PATH CI CC CFLAGS LDFLAGS CDPATH
source_root=${1:-$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/faultline-launcher.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
project=$tmp/a\ project
state=$tmp/state
out=$tmp/out
err=$tmp/err

# ---- the machine ----------------------------------------------------------------------------------------------------

mkdir -p "$tmp/bin" "$state" "$tmp/pc"
for dir in /usr/sbin /usr/bin /usr/local/bin; do
    [ -d "$dir" ] && cp -asf "$dir/." "$tmp/bin/" 2>/dev/null
done
# Where gcc, meson and others do not stand in the usual folders.
for tool in meson ninja gcc pkg-config flock; do
    [ -e "$tmp/bin/$tool" ] || ln -s "$(command -v $tool || echo /nonexistent)" "$tmp/bin/$tool"
done
rm -f "$tmp"/bin/{apt,apt-get,apt-cache,apt-config,dpkg-query,sudo,dnf,zypper,apk}
ln -sf "$(command -v meson)" "$tmp/real-meson"
ln -sf "$(command -v ninja)" "$tmp/real-ninja"

# fake NAME: a command from standard input; it finds the state in $S and leaves its arguments in $S/calls.
fake() {
    rm -f "$tmp/bin/$1"
    {
        printf '#!/bin/bash\nS=%q\necho "%s $*" >>"$S/calls"\n' "$state" "$1"
        cat
    } >"$tmp/bin/$1"
    chmod +x "$tmp/bin/$1"
}

fake_debian() {
    fake dpkg-query <<'SH'
for package; do
    grep -qx -- "$package" "$S/installed" || continue
    case $* in *Package*) echo "$package ii " ;; *) echo "ii  1.0" ;; esac
done
SH
    fake apt-cache <<'SH'
shift
for package; do
    grep -qx -- "$package" "$S/offered" && printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$package" "$(cat "$S/version" 2>/dev/null || echo 1.0)"
done
SH
    # What it does is in $S/apt: ok, or one trouble that is over after the first install.
    fake apt-get <<'SH'
trouble=$(cat "$S/apt" 2>/dev/null)
case " $* " in
    *' indextargets '*) printf 'file:/nowhere/|Debian|Debian|any\n' ; exit ;;
    *' update '*) [ "$trouble" != no-network ] || { echo "E: Failed to fetch x  Could not resolve 'mirror'"; exit 100; } ; exit 0 ;;
    *' download '*)
        [ "$trouble" != no-download ] || { echo "E: Failed to fetch x  Connection timed out"; exit 100; }
        cp "$S"/*.deb . ; exit ;;
esac
case $trouble in
    no-network) echo "E: Failed to fetch x  Could not resolve 'mirror'"; exit 100 ;;
    interrupted) echo ok >"$S/apt"; echo "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."; exit 100 ;;
    locked) echo "E: Could not get lock /var/lib/dpkg/lock-frontend"; exit 100 ;;
esac
take=0
for word; do
    [ $take = 1 ] && echo "$word" >>"$S/installed"
    [ "$word" = install ] && take=1
done
exit 0
SH
}

# Modules of the pretended machine; the real ones are out of sight.
module() { printf 'Name: %s\nDescription: test\nVersion: %s\n' "$1" "$2" >"$tmp/pc/$1.pc"; }

# ---- the project ----------------------------------------------------------------------------------------------------

new_project() {
    rm -rf "$project" "${state:?}"/*
    mkdir -p "$project"/{core,tools,tests}
    cp "$source_root/faultline" "$project/"
    cp -r "$source_root/tools/launcher" "$project/tools/launcher"
    cat >"$project/meson_options.txt" <<'MESON'
option('engine', type: 'combo', choices: ['none', 'libfuzzer', 'afl'], value: 'none')
option('unicorn', type: 'feature', value: 'auto')
MESON
    cat >"$project/meson.build" <<'MESON'
project('tiny', 'c')
subdir('tools')
foreach t : ['0', '77', '0']
  test('exit ' + t, tiny, args: ['exit', t], suite: 'unit')
endforeach
MESON
    # Same name twice is not allowed in one suite's record, so number them.
    sed -i "s/foreach t : .*/foreach n, t : {'a': '0', 'b': '77', 'c': '0'}/; s/'exit ' + t/n/" "$project/meson.build"
    echo "tiny = executable('faultline', 'tiny.c')" >"$project/tools/meson.build"
    cat >"$project/tools/tiny.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    for (int i = 1; i < argc; i++)
        printf("[%s]", argv[i]);
    printf("root=%s\n", getenv("FAULTLINE_ROOT"));
    return 0;
}
C
    : >"$state/calls"
    : >"$state/installed"
    : >"$state/offered"
    fake_debian
    rm -f "$tmp"/pc/*.pc
    module zlib 1.3
    module jansson 2.14
    module sqlite3 3.40.1
    module ncursesw 6.4
    module libxxhash 0.8.1
    module capstone 5.0
    module unicorn 2.1.9
    # What is seen by its header would be this machine's.
    printf '%s\n' libc6-dev libzydis-dev >"$state/installed"
    ln -sf "$tmp/real-meson" "$tmp/bin/meson"
    ln -sf "$tmp/real-ninja" "$tmp/bin/ninja"
}

# ---- saying what is expected ----------------------------------------------------------------------------------------

# run STATUS ARGUMENT...: the launcher on the pretended machine; its exit code must be STATUS.
run() {
    local want=$1 got
    shift
    PATH=$tmp/bin PKG_CONFIG_LIBDIR=$tmp/pc "$project/faultline" "$@" >"$out" 2>"$err" </dev/null
    got=$?
    check "exit code $got is $want: faultline $*" [ "$got" = "$want" ]
}

check() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED ($scenario): $what"
        sed 's/^/    out| /' "$out"
        sed 's/^/    err| /' "$err"
    fi
}

says() { check "says: $1" grep -qF -- "$1" "$err"; }
prints() { check "prints: $1" grep -qF -- "$1" "$out"; }
called() { check "called: $1" grep -qE -- "$1" "$state/calls"; }
not_called() { check "not called: $1" not grep -qE -- "$1" "$state/calls"; }
not() { ! "$@"; }
# The message for people is one line: the last, and the only one that says what went wrong.
one_line() { check "one line begins: $1" test "$(grep -c "^faultline: $1" "$err")" = 1; }
count_calls() { grep -cE -- "$1" "$state/calls"; }

begin() {
    scenario=$*
    new_project
    : >"$out"
    : >"$err"
}

finish() {
    echo "$passed checks passed, $failed failed"
    [ $failed = 0 ] && [ $passed -gt 0 ]
}
