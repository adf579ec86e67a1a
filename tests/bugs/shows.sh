#!/bin/bash
# SPDX-License-Identifier: MIT
# shows.sh FIND CORE PATCH: the core shows the key that the patch's header names, as the target that it names.
set -u
target=$(sed -n 's/^Target: //p' "$3")
key=$(sed -n 's/^Key: //p' "$3")
if [ -z "$target" ] || [ -z "$key" ]; then
    echo "${3##*/}: its header has no Target: or no Key:" >&2
    exit 1
fi
"$1" "$2" "$target" 200000 "$key"
