#!/usr/bin/env bash
# The lints find what they are for: a small tree with one offence at a time, and each lint on the clean tree.
set -u
here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/faultline-lint.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

# shellcheck disable=SC2016
clean_tree() {
    local long
    rm -rf "$tmp/tree"
    mkdir -p "$tmp"/tree/{core/types/faultline,core/include/faultline,oracle/{arch,policy,sync,pin,include/faultline},fuzz/scenario,tests,docs}
    cd "$tmp/tree" || exit 2
    cp "$here/../../.clang-format" .
    printf '#include <stdint.h>\nstruct fl_kernel {\n    uint64_t here, there; /* a, b; c */\n    bool flag;\n};\n' \
        >core/types/faultline/types.h
    printf '#include <faultline/types.h>\n' >core/include/faultline/core.h
    printf '#include <faultline/types.h>\n' >oracle/include/faultline/arch.h
    printf '#include "x.h"\n#include <faultline/core.h>\n' >core/a.c
    : >core/x.h
    printf '#include <faultline/arch.h>\n#include <string.h>\n' >oracle/arch/a.c
    printf '#include <faultline/arch.h>\n#include <faultline/core.h>\n#include <stdio.h>\n' >fuzz/a.c
    printf '#!/bin/sh\necho "$HOME"\n' >run.sh
    # What docs/coverage.md speaks of: functions, one of them only declared, rows, a check, a test.
    long=$(printf 'a%.0s' {1..95})
    printf 'int later(void);\n\nstatic int works(int %s,\n                 int b)\n{\n    return %s + b;\n}\n' "$long" "$long" \
        >core/works.c
    printf 'static const struct row rows[] = {\n    {"a-row", 1},\n};\n' >oracle/policy/rows.c
    printf 'static const struct row rows[] = {\n    {"b-row", "text", 1},\n};\n' >oracle/sync/rows.c
    printf 'static const char *const names[] = {\n    [FL_CHECK_WALK] = "walk",\n};\n\nint judge(void)\n{\n    return 0;\n}\n' \
        >oracle/compare.c
    # ... and of pinning: a rule, an op, a call, a flag, two records.
    printf 'static const struct rule rules[] = {\n    {"pin/rule", "text"},\n};\n' >oracle/pin/judge.c
    printf '%s\n' '#include <faultline/pin.h>' 'struct fl_gup_ops {' '    bool (*read)(void *ctx);' '};' '' \
        'struct fl_gup {' '    int (*pin)(int n, int m);' '};' >core/include/faultline/gup.h
    printf 'enum fl_foll {\n    FL_FOLL_WRITE = 1 << 0, /* text */\n    FL_FOLL_BITS = (1 << 1) - 1\n};\n' \
        >core/types/faultline/pin.h
    printf 'const struct fl_record_spec fl_record_specs_pin[2] = {\n    {"area", 1},\n    {"pin", 2},\n};\n' \
        >fuzz/scenario/vocabulary_pin.c
    printf 'FAULT(one, 1)\n\nstatic void test_it(void)\n{\n}\n' >tests/t.c
    printf '%s\n' '# Text | with a bar' '' '| place | core | policy | test |' '|---|---|---|---|' \
        '| here | `works.c: works` | `a-row`, `b-row`, `pin/rule`, `compare.c: judge` | `t.c: test_it` |' '' \
        '| op | call | flag | record |' '|---|---|---|---|' '| `read` | `pin` | `FOLL_WRITE` | `area`, `pin` |' '' \
        '| field | test |' '|---|---|' '| `here`, `there`, `flag` | `../run.sh`, `t.c: test_it` |' '' \
        '| check | judged by |' '|---|---|' '| `walk` | `oracle/compare.c: judge` |' '' \
        '| place | core | policy | test |' '|---|---|---|---|' \
        '| last | `works.c: works` | `a-row` | `t.c: test_it` |' >docs/coverage.md
}

# expect STATUS LINT WHAT: the lint on the tree as it is now.
expect() {
    local out status
    out=$("$here/$2.sh" "$tmp/tree" 2>&1)
    status=$?
    if [ $status = 77 ]; then
        echo "not checked, its tool is not here: $2"
    elif [ $status = "$1" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2 ($3): exit code $status instead of $1"
        printf '%s\n' "$out" | sed 's/^/    /'
    fi
}

# offence LINT FILE TEXT: TEXT as a further line of FILE is found.
offence() {
    clean_tree
    mkdir -p "$(dirname "$2")"
    printf '%s\n' "$3" >>"$2"
    expect 1 "$1" "$3"
}

clean_tree
for lint in arrows format shell sizes paths coverage-doc; do expect 0 $lint "clean tree"; done
rm -rf "$tmp/tree" && mkdir "$tmp/tree"
for lint in arrows sizes paths coverage-doc; do expect 1 $lint "nothing to look at"; done

offence arrows core/a.c '#include <string.h>'
offence arrows core/a.c '#include <faultline/arch.h>'
offence arrows core/a.c '#include "../oracle/include/faultline/arch.h"'
offence arrows core/a.c '#include HEADER'
offence arrows oracle/arch/a.c '#include <faultline/core.h>'
offence arrows oracle/arch/a.c '  #  include "../../core/x.h"'
offence arrows core/types/faultline/more.h '#define MORE 1'
offence arrows fuzz/a.c '#include "../tools/y.h"'
offence format core/a.c 'int  f( void ){return 1;}'
# shellcheck disable=SC2016
offence shell run.sh 'rm $1/*'
clean_tree
# shellcheck disable=SC2016
printf '#!/bin/bash\nrm $1/*\n' >"$tmp/tree/bare"
expect 1 shell "a script known by its first line"
offence sizes core/a.c "$(yes '/* line */' | head -n 501)"
offence paths core/a.c "/* see /$(printf root)/x */"
offence paths notes.md "get it from deb.$(printf debian).org"

# docs/coverage.md: a further row of its last table.
# shellcheck disable=SC2016
for row in '|  | `works.c: works` | `a-row` | `t.c: test_it` |' '| place | | `a-row` | `t.c: test_it` |' \
    '| place | `works.c: works` | `a-row` |' '| place | `works.c: works` | `a-row` | `t.c: test_it` | more |' \
    '| place | `works.c: work` | `a-row` | `t.c: test_it` |' '| place | `works.c: works, later` | `a-row` | `t.c: test_it` |' \
    '| place | `other.c: works` | `a-row` | `t.c: test_it` |' '| place | `works.c` | `a-row` | `t.c: test_it` |' \
    '| place | `works.c: works` | `c-row` | `t.c: test_it` |' '| place | `works.c: works` | `compare.c: names` | `t.c: test_it` |' \
    '| place | `works.c: works` | `a-row` | `t.c: test_other` |' '| place | `works.c: works` | `a-row` | `t.c: one` |' \
    '| place | `works.c: works` | `a-row` | `corpus/x.scn` |' '| place | `works.c: works` | `a-row` or b-row | `t.c: test_it` |' \
    '| place | works.c: works | `a-row` | `t.c: test_it` |'; do
    offence coverage-doc docs/coverage.md "$row"
done
# What the document leaves out, and what it has too much.
offence coverage-doc oracle/policy/rows.c '    {"c-row", 1},'
offence coverage-doc oracle/compare.c '    [FL_CHECK_MORE] = "more",'
offence coverage-doc oracle/pin/judge.c '    {"pin/more", "text"},'
offence coverage-doc core/include/faultline/gup.h "$(printf 'struct fl_gup_ops {\n    void (*more)(void *ctx);\n};')"
offence coverage-doc core/include/faultline/gup.h "$(printf 'struct fl_gup {\n    int (*more)(int n);\n};')"
offence coverage-doc core/types/faultline/pin.h "$(printf 'enum fl_foll {\n    FL_FOLL_MORE = 1 << 1,\n};')"
offence coverage-doc fuzz/scenario/vocabulary_pin.c \
    "$(printf 'const struct fl_record_spec fl_record_specs_pin[1] = {\n    {"more", 1},\n};')"
offence coverage-doc core/types/faultline/types.h "$(printf 'struct fl_kernel {\n    bool more;\n};')"
clean_tree
sed -i 's/walk/walks/' docs/coverage.md
expect 1 coverage-doc "a check that is not there"
clean_tree
sed -i 's/flag/flags/' docs/coverage.md
expect 1 coverage-doc "a field that is not there"
# shellcheck disable=SC2016
for other in 's/pin.rule/pin\/rules/' 's/`read`/`reads`/' 's/`area`/`areas`/' 's/FOLL_WRITE/FOLL_WRITES/' 's/| `pin` |/| `pins` |/'; do
    clean_tree
    sed -i "$other" docs/coverage.md
    expect 1 coverage-doc "$other"
done
clean_tree
sed -i '/^|/d' docs/coverage.md
expect 1 coverage-doc "no table"

# The archive check.
compile() { printf '%s\n' "$2" | cc -c -x c -O1 ${3:+"$3"} -o "$tmp/$1.o" - && rm -f "$tmp/$1.a" && ar crs "$tmp/$1.a" "$tmp/$1.o"; }
archive() {
    "$here/freestanding.sh" "$tmp/$2.a" >"$tmp/out" 2>&1
    local status=$?
    if [ $status = "$1" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAILED: freestanding ($2): exit code $status instead of $1"
        cat "$tmp/out"
    fi
}
if command -v cc >/dev/null; then
    compile clean 'void *memcpy(void *, const void *, unsigned long); void g(void *a, void *b, unsigned long n) { memcpy(a, b, n); }'
    archive 0 clean
    compile alien 'int puts(const char *); int g(const char *s) { return puts(s) + 1; }'
    archive 1 alien
    compile weak 'int maybe(void) __attribute__((weak)); int g(void) { return maybe ? maybe() : 0; }'
    archive 1 weak
    compile empty ''
    archive 1 empty
    compile instrumented 'int g(int *p) { return p[1]; }' -fsanitize=address
    archive 77 instrumented
    archive 2 missing
fi
echo "$passed checks passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
