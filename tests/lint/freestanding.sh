#!/usr/bin/env bash
# usage: freestanding.sh ARCHIVE
# The core needs nothing but memcpy, memmove, memset and memcmp from outside. Asked of the finished archive, because
# -ffreestanding alone refuses neither libc headers nor libc calls.
set -u
export LC_ALL=C
archive=${*: -1}
if [ ! -f "$archive" ]; then
    echo "freestanding: no archive '$archive': give the core's .a file"
    exit 2
fi

table=$(nm -P "$archive") || { echo "freestanding: nm cannot read $archive"; exit 1; }
# nm -P: name, type, value, size. U is wanted; w and v are wanted weakly, which is no better.
wanted=$(printf '%s\n' "$table" | awk 'NF >= 2 && $2 ~ /^[Uwv]$/ { print $1 }' | sort -u)
given=$(printf '%s\n' "$table" | awk 'NF >= 2 && $2 !~ /^[Uwv]$/ { print $1 }' | sort -u)
if [ -z "$given" ]; then
    echo "freestanding: $archive defines no symbol at all: nothing was checked"
    exit 1
fi
if printf '%s\n' "$wanted" | grep -qE '^__(asan|ubsan|msan|tsan|sanitizer|sancov|afl|gcov|llvm_profile|llvm_gcov)'; then
    echo "skipped: an instrumented build calls its instrumentation"
    exit 77
fi
# The linker makes _GLOBAL_OFFSET_TABLE_ itself.
alien=$(comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$given") |
    grep -vxE 'memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_|')
if [ -n "$alien" ]; then
    echo "freestanding: $archive needs what a kernel does not have:"
    while IFS= read -r name; do
        echo "  $name, wanted by $(nm -A -u "$archive" | awk -v n="$name" '$NF == n { print $1 }' | sort -u | tr '\n' ' ')"
    done <<<"$alien"
    exit 1
fi
echo "$(printf '%s\n' "$given" | wc -l) symbols defined, $(printf '%s\n' "$wanted" | grep -c .) wanted, all within the four"
