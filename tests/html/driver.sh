#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Starts chromedriver for a test that looks at pages (browser.py).
# usage: driver.sh TEST.py FOLDER, where FOLDER holds the pages
set -eu
test=$(realpath -- "$1") build=$(realpath -- "$2")
here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# A fresh profile each time, and a home that is not anybody's: the browser keeps caches and crash reports there.
profile=$(mktemp -d)
driver=
end() {
    [ -z "$driver" ] || kill "$driver" 2>/dev/null || :
    [ -z "$driver" ] || wait "$driver" 2>/dev/null || :
    rm -rf -- "$profile"
}
trap end EXIT
# Port 0: one that is free; the driver says which.
HOME=$profile chromedriver --port=0 >"$build/driver.log" 2>&1 &
driver=$!
port=
for _ in $(seq 100); do
    port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$build/driver.log")
    [ -z "$port" ] || break
    kill -0 "$driver" 2>/dev/null || break
    sleep 0.1
done
[ -n "$port" ] || {
    cat "$build/driver.log"
    echo "chromedriver did not start"
    exit 1
}
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here python3 "$test" "$port" "$profile/data" "$build"
