#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Looks at the HTML report in a browser: page.py in headless Chromium. With FAULTLINE_SCREENSHOTS=1 pictures of it stay in BUILD/page.
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

"$here/../html/driver.sh" "$here/page.py" "$build"
