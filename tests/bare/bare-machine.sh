#!/usr/bin/env bash
# Does Faultline start on a bare machine? Makes a minimal Debian with debootstrap, clones the committed state of
# this project into it, and does there what a new user would do:
#     ./faultline fuzz --yes --time 10
#     ./faultline test --quick
#
# usage: tests/bare/bare-machine.sh [bookworm | trixie | all]     (default: all)
#
# Needs root, debootstrap and the network. The mirror and what it takes to reach it come from this machine's own
# apt set-up. The finished minimal system is kept as build/bare/SUITE.tar, so a second run starts from that.
# Exit codes: 0 passed, 1 failed, 2 cannot go on (network, no commit), 77 cannot be done here (no root, no tool).
# Several functions are only called through `step`:
# shellcheck disable=SC2317
set -u

here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd) || exit 2
root=${here%/tests/bare}
build=${FAULTLINE_BUILD:-$root/build}
cache=$build/bare
keys=/usr/share/keyrings/debian-archive-keyring.gpg
work=

say() { printf 'bare-machine: %s\n' "$*"; }
stop() {
    local status=$1
    shift
    printf 'bare-machine: %s\n' "$*" >&2
    exit "$status"
}

# shellcheck source=tools/launcher/apt.sh
. "$root/tools/launcher/apt.sh" || exit 2

clean_up() {
    [ -n "$work" ] && [ -d "$work" ] || return 0
    # Mounts live in a namespace of their own and are gone with it. Should one be left all the same, it is taken
    # away first, and nothing below a mount is ever removed.
    local mount
    while read -r _ mount _; do
        case $mount in "$work"/*) umount -l "$mount" ;; esac
    done < <(sort -r -k 2 /proc/mounts)
    if grep -qF " $work/" /proc/mounts; then
        say "left in place, something is still mounted there: $work"
    else
        rm -rf --one-file-system "$work"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# step NAME COMMAND...: output to the log, one line with the time; on failure the end of the log.
step() {
    local name=$1 began=$SECONDS status
    shift
    printf '== %s\n' "$name" >>"$log"
    : >"$work/step"
    # Through a pipe, so that the log can be followed while it runs.
    "$@" </dev/null 2>&1 | tee "$work/step" >>"$log"
    status=${PIPESTATUS[0]}
    if [ "$status" = 0 ]; then
        say "$suite: $name: ok, $((SECONDS - began)) s"
        return 0
    fi
    say "$suite: $name: failed with exit code $status after $((SECONDS - began)) s"
    tail -n 30 "$work/step" | sed 's/^/    | /'
    say "whole output: ${log#"$root"/}"
    return 1
}

# Runs a command inside the new system: own mounts and process ids, so that nothing stays mounted or running when
# it ends, however it ends; and an environment as after a fresh login.
inside() {
    unshare --mount --pid --fork --kill-child --mount-proc="$system/proc" \
        env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb "${proxy[@]}" \
        chroot "$system" /bin/sh -c '
            mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && ln -sf pts/ptmx /dev/ptmx # as any Debian has
            cd /opt/faultline && exec "$@"' sh "$@"
}

make_base() {
    local -a more=()
    # A mirror behind https needs certificates before the first package can be fetched.
    case $mirror in https:*) more=(--include=ca-certificates) ;; esac
    debootstrap --variant=minbase --keyring="$keys" "${more[@]}" "$suite" "$system" "$mirror"
}

unpack_base() { tar -C "$system" -xpf "$cache/$suite.tar"; }

keep_base() {
    # The packages are installed; keeping them would double the file.
    rm -f "$system"/var/cache/apt/archives/*.deb
    tar -C "$system" --one-file-system -cpf "$cache/$suite.tar.new" . && mv -f "$cache/$suite.tar.new" "$cache/$suite.tar"
}

# The way to the network, as this machine has it.
lend_network() {
    cp -L /etc/resolv.conf "$system/etc/resolv.conf" 2>/dev/null
    cp -L /etc/hosts "$system/etc/hosts" 2>/dev/null
    apt-config dump --format '%f "%v";%n' 2>/dev/null |
        grep -iE '^Acquire::(Check-|Retries|[^ ]*(Proxy|Timeout|Verify-|CaInfo))' >"$system/etc/apt/apt.conf.d/90host"
    case $mirror in https:*) cp -L /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/" 2>/dev/null ;; esac
    echo "deb $mirror $suite main" >"$system/etc/apt/sources.list"
    rm -f "$system"/etc/apt/sources.list.d/*
}

# HEAD, as a new user gets it. The work folder is the clone's HOME, so that a project that belongs to somebody else
# can be declared safe without touching anybody's own settings.
clone_project() {
    printf '[safe]\n\tdirectory = *\n' >"$work/.gitconfig"
    HOME=$work git clone --quiet --no-hardlinks -- "$root" "$system/opt/faultline"
}

run_suite() {
    suite=$1
    work=$(mktemp -d "${TMPDIR:-/tmp}/faultline-bare.XXXXXX") || stop 2 "cannot make a folder under ${TMPDIR:-/tmp}: set TMPDIR to a place with 4 GB free"
    work=$(cd -P -- "$work" && pwd) # as /proc/mounts will call it
    system=$work/system
    log=$cache/$suite.log
    { mkdir -p "$system" "$cache" && : >"$log"; } || stop 2 "cannot write to $cache: check its owner"
    if [ -f "$cache/$suite.tar" ] && step "unpack the kept minimal Debian" unpack_base; then
        :
    else
        rm -rf --one-file-system "$system" "$cache/$suite.tar"
        mkdir -p "$system"
        if ! step "debootstrap" make_base; then
            if grep -qiE 'mount|mknod|Operation not permitted' "$work/step"; then
                stop 77 "$suite: this machine does not allow making a Debian in a folder (a container without the rights?)"
            fi
            stop 2 "$suite: debootstrap failed: is the network there? the lines above say what it missed"
        fi
        step "keep it for the next run" keep_base || rm -f "$cache/$suite.tar.new"
    fi
    lend_network
    step "git clone" clone_project || return 1
    step "./faultline fuzz --yes --time 10" inside ./faultline fuzz --yes --time 10 || return 1
    tail -n 8 "$work/step" | sed 's/^/    | /'
    step "./faultline test --quick" inside ./faultline test --quick || {
        cat "$system/opt/faultline/build/test-logs/quick.log" >>"$log" 2>/dev/null
        return 1
    }
    tail -n 1 "$work/step" | sed 's/^/    | /'
    step "./faultline doctor" inside ./faultline doctor || return 1
    clean_up
    work=
}

case ${1:-all} in
    bookworm | trixie) suites=("$1") ;;
    all) suites=(bookworm trixie) ;;
    *) stop 2 "unknown argument '$1': bookworm, trixie or all" ;;
esac
[ "$EUID" = 0 ] || stop 77 "needs root: run it as root or with sudo"
command -v debootstrap >/dev/null || stop 77 "needs debootstrap: apt-get install debootstrap"
command -v git >/dev/null || stop 77 "needs git: apt-get install git"
[ -r $keys ] || stop 77 "needs $keys: apt-get install debian-archive-keyring"
unshare --mount --pid --fork true 2>/dev/null || stop 77 "this machine does not allow mount namespaces (a container without the rights?)"
mkdir -p "$cache" 2>/dev/null || stop 2 "cannot write to $cache: check its owner"
HOME=/nonexistent git -c safe.directory='*' -C "$root" rev-parse --quiet --verify HEAD >/dev/null ||
    stop 2 "$root has no commit yet: the committed state is what is tested"
mirror=$(fl_debian_mirror)
[ -n "$mirror" ] || stop 2 "no Debian mirror among this machine's apt sources: see apt-get indextargets"
proxy=()
for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || proxy+=("$name=${!name}")
done

failed=0
for suite in "${suites[@]}"; do
    began=$SECONDS
    if run_suite "$suite"; then
        say "$suite: passed in $((SECONDS - began)) s"
    else
        say "$suite: FAILED after $((SECONDS - began)) s"
        failed=1
        clean_up
        work=
    fi
done
exit $failed
