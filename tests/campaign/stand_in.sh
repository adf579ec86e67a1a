# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A build folder whose engine is a shell script, and campaigns with it. Set before: root, program.
# shellcheck disable=SC2154,SC2016 # root and program are the sourcing script's; the stand-in's script expands its variables itself
work=$(mktemp -d)
dir=$work/campaign
checks=0 failures=0
build=$work/build
mkdir -p "$build/libfuzzer/fuzz" "$build/afl/fuzz"
export FAULTLINE_ROOT=$root FAULTLINE_BUILD=$build

# Every process of this test's campaigns: they carry the folder in their environment; guard and supervisor have it as argument.
processes() {
    {
        grep -lazF "FAULTLINE_CAMPAIGN=$dir" /proc/[0-9]*/environ
        # The pattern through a file: grep's own command line is not to have it.
        grep -lazxF -f <(printf '%s' "$dir") /proc/[0-9]*/cmdline
    } 2>/dev/null | cut -d/ -f3 | sort -u
}
kill_all() { processes | xargs -r kill -KILL 2>/dev/null; }
# shellcheck disable=SC2317 # the trap's
clean_up() {
    kill_all
    [ -z "${disk:-}" ] || umount "$disk" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

# shellcheck disable=SC2154 # case is set by who sources this
fail() {
    failures=$((failures + 1))
    echo "FAIL: $case: $*" >&2
    tail -n 5 "$work/err" "$dir/log" 2>/dev/null | sed 's/^/    | /' >&2
}
check() { # WHAT COMMAND...
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}
# engine SCRIPT-LINES: the stand-in for fl-walk. $prefix is where artifacts go, $corpus the shared corpus; judged: so many
# events; say: a line of libFuzzer's about its coverage; wait_here: works until it is asked to end.
engine() {
    cat >"$build/libfuzzer/fuzz/fl-walk" <<SCRIPT
#!/usr/bin/env bash
corpus=
for argument; do
    case \$argument in
        -artifact_prefix=*) prefix=\${argument#*=} ;;
        -*) ;;
        *) [ -n "\$corpus" ] || corpus=\$argument ;;
    esac
done
judged() { printf '\\\\x%02x' "\$1" | xargs -0 printf | dd of="\$FAULTLINE_STATS" bs=1 seek=24 conv=notrunc 2>/dev/null; }
say() { echo "#1 NEW cov: \$1 ft: \$1 corp: 1/1b"; }
wait_here() { trap 'exit 0' TERM; while :; do sleep 0.1; done; }
$1
SCRIPT
    chmod +x "$build/libfuzzer/fuzz/fl-walk"
}
# run CODE VERB ARGUMENT...
run() {
    local want=$1 got
    shift
    timeout 100 "$program" campaign "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$want" ] || fail "campaign $1: exit code $got, expected $want"
}
begin() { run 0 start --target walk --engine libfuzzer --no-executor --jobs 1 "$@" "$dir"; }
foreground() { # CODE ARGUMENT...
    local want=$1
    shift
    run "$want" start --target walk --engine libfuzzer --no-executor --jobs 1 --foreground "$@" "$dir"
}
in_time() { # SECONDS COMMAND...: until it answers true
    local ticks=$(($1 * 10))
    shift
    while ! "$@"; do
        ticks=$((ticks - 1))
        [ $ticks -gt 0 ] || return 1
        sleep 0.1
    done
}
says() { grep -q -- "$1" "$dir/log"; }
one_line() { [ "$(wc -l <"$work/err")" = 1 ]; }
nobody() { [ -z "$(processes)" ]; }
is_state() { "$program" campaign status --json "$dir" 2>/dev/null | grep -q "\"state\": \"$1\""; }
engines() { pgrep -fc "bash $build/libfuzzer/fuzz/fl-walk"; }
no_folder() { [ ! -e "$dir" ]; }
