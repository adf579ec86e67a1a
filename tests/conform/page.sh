#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Looks at the HTML report in a browser: page.py drives headless Chromium over WebDriver. Screenshots stay in BUILD.
# usage: page.sh HTML-TEST BUILD, where HTML-TEST is the built tests/conform/html.c and BUILD a folder to write into
# Exit code 77: chromium, chromium-driver or python3 is not here.
set -eu
program=$(realpath -- "$1") build=$2/page
here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

for tool in chromium chromedriver python3; do
    command -v "$tool" >/dev/null || {
        echo "skipped: $tool is not here: nobody looks at the page"
        exit 77
    }
done

rm -rf -- "$build"
mkdir -p -- "$build"
for sample in plain hostile empty; do
    "$program" "$sample" "$build/$sample.html"
done

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
python3 "$here/page.py" "$port" "$profile/data" "$build"
