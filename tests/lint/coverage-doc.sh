#!/usr/bin/env bash
# docs/coverage.md tells the truth: no cell of its tables is empty; every function, policy row, check, kernel field, test,
# and of pinning every rule, op, flag, call and record that it names exists; and it leaves out no row of the oracle's tables
# and none of the others.
# What a cell has to hold depends on the head of its column; the document says it under "How to read this".
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

doc=docs/coverage.md
if [ ! -f $doc ]; then
    lint_report $doc "is not there"
    lint_end "rows"
    exit 1
fi

# shellcheck disable=SC2016
program='
function finding(where, what) { print where ": " what; nfound++ }

# The functions that a C file defines, once for each file: they begin in the first column, and a body follows.
function functions_of(file,    line, name, open) {
    if (file in seen_file)
        return
    seen_file[file] = 1
    while ((getline line <file) > 0) {
        if (line ~ /^[A-Za-z_]/ && line ~ /\(/ && line !~ /^__attribute__/) {
            name = substr(line, 1, index(line, "(") - 1)
            if (name ~ /[=:]/)
                continue
            sub(/^.*[^A-Za-z0-9_]/, "", name)
            open = name
        }
        if (open != "") {
            if (line ~ /;[ \t]*$/)
                open = ""
            else if (line ~ /[{}][ \t]*$/) {
                defined[file, open] = 1
                open = ""
            }
        }
    }
    close(file)
}

function exists(file,    line, there) {
    there = (getline line <file) >= 0
    close(file)
    return there
}

# The names of a table of rows: the first string of each initialiser.
function rows_of(file, wanted,    line) {
    while ((getline line <file) > 0)
        if (match(line, /^    \{([A-Z]+ = )?"[a-z0-9\/-]+"/)) {
            line = substr(line, 1, RLENGTH - 1)
            sub(/^.*"/, "", line)
            row[line] = 1
            if (wanted)
                due["policy row " line] = file
        }
    close(file)
}

# The strings of an array that is indexed by FL_CHECK_.
function checks_of(file,    line) {
    while ((getline line <file) > 0)
        if (line ~ /\[FL_CHECK_[A-Z_]+\] = "/) {
            sub(/^[^"]*"/, "", line)
            sub(/".*$/, "", line)
            check[line] = 1
            due["check " line] = file
        }
    close(file)
}

function fields_of(file, struct,    line, inside, i, n, part) {
    while ((getline line <file) > 0) {
        if (line == "struct " struct " {")
            inside = 1
        else if (line == "};")
            inside = 0
        else if (inside && line ~ /;/) {
            sub(/;.*$/, "", line)
            n = split(line, part, ",")
            for (i = 1; i <= n; i++) {
                sub(/^.*[ *]/, "", part[i])
                field[part[i]] = 1
                due["field " part[i]] = file
            }
        }
    }
    close(file)
}

# What stands in the lines between one that begins with `from` and the next "};", by a pattern; `cut` is taken off its ends.
function names_of(file, kind, from, pattern, cut,    line, inside, name) {
    while ((getline line <file) > 0) {
        if (index(line, from) == 1)
            inside = 1
        else if (line ~ /^};/)
            inside = 0
        else
            while (inside && match(line, pattern)) {
                name = substr(line, RSTART, RLENGTH)
                line = substr(line, RSTART + RLENGTH)
                gsub(cut, "", name)
                named[kind, name] = 1
                due[kind " " name] = file
            }
    }
    close(file)
}

function trimmed(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }

# FILE: FUNCTION, FUNCTION ... or, where no function is meant, FILE.
function look_at_code(where, kind, folder, token,    at, file, i, n, name) {
    at = index(token, ": ")
    file = at ? substr(token, 1, at - 1) : token
    if (file !~ /^corpus\//)
        file = folder file
    if (!exists(file)) {
        finding(where, "there is no " file)
        return
    }
    if (!at) {
        if (file ~ /\.[ch]$/)
            finding(where, file " without a function")
        else
            counted[kind]++
        return
    }
    functions_of(file)
    n = split(substr(token, at + 2), name, /, */)
    for (i = 1; i <= n; i++) {
        counted[kind]++
        if (!((file, name[i]) in defined))
            finding(where, file " defines no function " name[i])
    }
}

function look_at_token(where, kind, token) {
    if (kind == "core")
        look_at_code(where, kind, "core/", token)
    else if (kind == "test")
        look_at_code(where, kind, "tests/", token)
    else if (kind == "judged by")
        look_at_code(where, kind, "", token)
    else if (kind == "policy" && token ~ /[.:]/)
        look_at_code(where, "oracle function", "oracle/", token)
    else if (kind == "policy") {
        counted["policy row"]++
        if (!(token in row))
            finding(where, "no rows file holds a row " token)
        delete due["policy row " token]
    } else if (kind == "check") {
        counted[kind]++
        if (!(token in check))
            finding(where, "there is no check " token)
        delete due["check " token]
    } else if (kind ~ /^(op|call|flag|record)$/) {
        counted[kind]++
        if (!((kind, token) in named))
            finding(where, "pinning has no " kind " " token)
        delete due[kind " " token]
    } else {
        counted[kind]++
        if (!(token in field))
            finding(where, "struct fl_kernel has no field " token)
        delete due["field " token]
    }
}

function look_at_cell(where, kind, text,    any) {
    if (text == "") {
        finding(where, "an empty cell under \"" kind "\"")
        return
    }
    if (kind !~ /^(core|policy|test|judged by|check|field|op|call|flag|record)$/)
        return
    while (match(text, /`[^`]+`/)) {
        any = 1
        look_at_token(where, kind, substr(text, RSTART + 1, RLENGTH - 2))
        text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
    }
    if (!any || text !~ /^[ ,]*$/)
        finding(where, "under \"" kind "\" stands what is no name in `...`: " text)
}

BEGIN {
    rows_of("oracle/policy/rows.c", 1)
    rows_of("oracle/sync/rows.c", 1)
    rows_of("oracle/sync/generation_rows.c", 0)
    rows_of("oracle/pin/judge.c", 1)
    names_of("core/include/faultline/gup.h", "op", "struct fl_gup_ops {", "\\(\\*[a-z_]+\\)\\(", "[(*)]")
    names_of("core/include/faultline/gup.h", "call", "struct fl_gup {", "\\(\\*[a-z_]+\\)\\(", "[(*)]")
    names_of("core/types/faultline/pin.h", "flag", "enum fl_foll {", "FL_FOLL_[A-Z]+ = 1 << [0-9]+,", "^FL_| = .*$")
    names_of("fuzz/scenario/vocabulary_pin.c", "record", "const struct fl_record_spec fl_record_specs_pin[",
             "\\{\"[a-z-]+\"", "[{\"]")
    checks_of("oracle/compare.c")
    fields_of("core/types/faultline/types.h", "fl_kernel")
}

/^\|/ {
    n = split($0, cell, "|") - 2
    if (!table) {
        table = 1
        ncolumns = n
        for (i = 1; i <= n; i++)
            head[i] = trimmed(cell[i + 1])
        next
    }
    if ($0 ~ /^[|: -]+$/)
        if (table++ == 1)
            next
    looked++
    where = FILENAME ":" FNR
    if (n != ncolumns || trimmed(cell[n + 2]) != "") {
        finding(where, n " cells, the head has " ncolumns)
        next
    }
    for (i = 1; i <= n; i++)
        look_at_cell(where, head[i], trimmed(cell[i + 1]))
    next
}
{ table = 0 }

END {
    for (what in due)
        finding(due[what], what " is not in the document")
    n = split("core,policy row,oracle function,test,judged by,check,field,op,call,flag,record", kinds, ",")
    for (i = 1; i <= n; i++) {
        printf "%d named as \"%s\"%s", counted[kinds[i]], kinds[i], i < n ? ", " : "\n"
        if (!counted[kinds[i]])
            finding(FILENAME, "names nothing as \"" kinds[i] "\": not read rightly?")
    }
    print looked + 0, nfound + 0
}'

out=$(awk "$program" $doc) || { lint_report $doc "awk failed"; out+=$'\n0 1'; }
read -r lint_looked lint_found <<<"${out##*$'\n'}"
printf '%s\n' "${out%$'\n'*}"
lint_end "rows"
