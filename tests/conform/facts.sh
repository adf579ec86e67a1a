#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real run, held against what is known: nothing unexpected may be in it, and its class table must say what facts.c knows.
#   facts.sh FAULTLINE FACTS [OPTION...]      OPTION: of conform prefetch; without any, all there is to ask
set -euo pipefail
program=$1 facts=$2
shift 2
report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$program" conform prefetch --decoders all --json --quiet "$@" >"$report" || {
    code=$?
    grep -E '"(unknown|stale|verdict)"' "$report" || :
    echo "conform prefetch ended with exit code $code"
    exit 1
}
"$facts" "$report"
