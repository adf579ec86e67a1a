#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Looks at `faultline report`'s page in a browser: page.py in headless Chromium. With FAULTLINE_SCREENSHOTS=1 pictures of it stay in BUILD/page.
# usage: page.sh FAULTLINE SAMPLE BUILD, where SAMPLE is the built sample.c and BUILD a folder to write into
# Exit code 77: chromium, chromium-driver, python3 or Chart.js is not here.
set -eu
program=$(realpath -- "$1") sample=$(realpath -- "$2") build=$3/page
here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

for tool in chromium chromedriver python3; do
    command -v "$tool" >/dev/null || {
        echo "skipped: $tool is not here: nobody looks at the page"
        exit 77
    }
done

rm -rf -- "$build"
mkdir -p -- "$build"
for kind in plain short hostile empty long clean; do
    "$sample" "$kind" "$build/$kind"
done
cp -- "$here/zoo.json" "$build/short/zoo.json"
for kind in plain short hostile empty long clean; do
    "$program" report "$build/$kind" --output "$build/$kind.html" 2>"$build/said"
    if grep -q 'Chart.js is not here' "$build/said"; then
        echo "skipped: Chart.js is not here (Debian: libjs-chart.js): there are no pictures to look at"
        exit 77
    fi
    cat "$build/said"
done
FAULTLINE_CHART_JS=/dev/null "$program" report "$build/plain" --output "$build/bare.html" --no-explain 2>"$build/said"
grep -q 'no pictures' "$build/said" || {
    echo "nothing is said of the missing Chart.js"
    exit 1
}

"$here/../html/driver.sh" "$here/page.py" "$build"
