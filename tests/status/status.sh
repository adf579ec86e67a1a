#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs status.py. usage: status.sh STATUS SAMPLE. Exit code 77: python3 is not here.
set -eu
command -v python3 >/dev/null || {
    echo "skipped: python3 is not here: nobody sits in front of the terminal"
    exit 77
}
here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$here/status.py" "$(realpath -- "$1")" "$(realpath -- "$2")"
