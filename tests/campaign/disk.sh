#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A campaign on a disk that fills up: it pauses, and goes on by itself. In a mount namespace, which anybody may have as a rule.
#   disk.sh ROOT FAULTLINE
# shellcheck disable=SC2016 # the stand-in's script expands its variables itself
set -uo pipefail
if [ -z "${FAULTLINE_UNSHARED:-}" ] && unshare -rm mount -t tmpfs tmpfs /mnt 2>/dev/null; then
    FAULTLINE_UNSHARED=1 exec unshare -rm -- bash "$0" "$@"
fi
root=$1 program=$2
# shellcheck source=tests/campaign/stand_in.sh
. "$root/tests/campaign/stand_in.sh"
disk=$work/disk
mkdir -p "$disk"
if ! mount -t tmpfs -o size=96m tmpfs "$disk" 2>"$work/mount"; then
    disk=
    echo "disk: no file system may be mounted here, in a namespace (unshare -rm) or without: left out: $(cat "$work/mount")"
    exit 77
fi

case="a full disk"
engine 'judged 9; wait_here'
dir=$disk/campaign
begin --min-free 40M
check "is at work" in_time 40 is_state running
head -c 70M /dev/zero >"$disk/other"
check "pauses" in_time 40 is_state paused
check "says so" says 'paused: disk full on'
check "no engine works" test "$(engines)" = 0
# To the last byte: what it has to write now has to wait.
cat /dev/zero >"$disk/rest" 2>/dev/null
sleep 3
rm "$disk/other" "$disk/rest"
check "goes on by itself" in_time 40 is_state running
run 0 stop "$dir"
rm -rf "$dir"

case="a disk that is full at once"
begin --min-free 1M
check "is at work" in_time 40 is_state running
cat /dev/zero >"$disk/rest" 2>/dev/null
check "pauses" in_time 40 says 'paused: disk full on'
rm "$disk/rest"
check "goes on by itself" in_time 40 says 'goes on'
check "is at work" in_time 40 is_state running
run 0 stop "$dir"

echo "disk: $checks checks, $failures failures"
[ $failures = 0 ] && [ $checks -ge 13 ]
