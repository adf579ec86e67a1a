#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds fuzz/engine/classes.def against the sources: each check and row that a divergence can have is in the list, and
nothing else is.

usage: classes.py ROOT ROW_TABLES [--write]     ROW_TABLES: the built tests/classes/row_tables; --write brings the list up
                                                to date
"""
import glob
import hashlib
import os
import re
import subprocess
import sys

CALL = re.compile(r'\b(fl_divergence_set|fl_judge_diverge)\s*\(')
LITERAL = re.compile(r'"([^"\\]*)"')
FUNCTION = re.compile(r'^(?:static |_Noreturn )*[a-z][\w ]*[ *](\w+)\(([^;{}]*?)\)\n\{\n(.*?)^\}', re.M | re.S)

# Where the names come from that are no string in the call: files, and what finds them there. A name in angle brackets
# stands for a table that ROW_TABLES prints.
INDIRECT = {
    ('fuzz/judge/decode.c', 'd->name'): ('oracle/decode/*.c', r'struct fl_decoder\)\{"([a-z]+)"'),
    ('fuzz/judge/fault.c', 'fl_policy_rows(&(size_t){0})[want.row].name'): '<policy>',
    ('fuzz/judge/touch.c', 'fl_generation_name(j->generation)'): '<generation>',
    ('oracle/compare_effects.c', 'uses[i].row'): ('oracle/compare_effects.c', r'\{"([^"]+)",(?: |\n)[^}]*?(?:true|false)\}'),
    ('oracle/compare_fault.c', 'fl_compare_row(want)'): ('oracle/compare.c', r'\.name : "([^"]+)"'),
    ('oracle/compare_message.c', 'rows[i]'): ('oracle/compare_message.c', r'\[FL_LIMIT_\w+\] = "([^"]+)"'),
    ('oracle/compare_message.c', 'subject(want)'):
        ('oracle/compare_message.c', r'return [^;"]*"([^"]+)"',
         r'return [^;"]*"[^"]*" : "([^"]+)"'),
    ('oracle/compare_rules.c', 'e->locked_op'): ('fuzz/world/*.c', r'op_unlocked\(\w+, "([^"]+)"\)'),
    ('oracle/compare_signal.c', 'f->row'): ('oracle/compare_signal.c', r'\{"([a-z0-9-]+)", (?:"|\w[^,]*\? ")'),
    ('oracle/compare_signal.c', 'fields[i].row'): ('oracle/compare_signal.c', r'\{"([a-z0-9-]+)", [^}"]*absent'),
    ('oracle/compare_sync.c', 'row_name'): ('oracle/compare_sync.c', r'\.name : "([^"]+)"'),
    ('oracle/pin/judge.c', 'what'): ('fuzz/judge/pin.c', r'\bfl_pin_same\([^,"]*, "([^"]+)"'),
    ('oracle/compare_walk.c', 'diff.row'): ('oracle/compare_walk.c', r'differs\(diff, "([^"]+)"'),
}
# A check that is an argument itself, and what it is.
CHECKS = {'check': ('FL_CHECK_WALK', 'FL_CHECK_EXECUTOR')}
# Files in which check and row come together, out of a variable: the variable, and what finds both.
PAIRS = {'oracle/pin/judge.c': ('last.check', r'\(struct objection\)\{FL_CHECK_(\w+), "([^"]+)"')}
# What names the invariants of pinning: these and no others are in fl_pin_rules().
PINNING = ('oracle/pin/*.c', 'fuzz/pin/*.c', 'fuzz/judge/pin.c')
# Keys that tests of the key itself make up.
MADE_UP = {'progress/loop'}
ALPHABET = 'abcdefghijklmnopqrstuvwxyz'


def fail(text):
    sys.exit(f'tests/classes/classes.py: {text}')


def arguments(text, at):
    """The arguments of the call whose bracket ends just before text[at]."""
    args, depth, begin = [], 1, at
    while depth:
        c = text[at]
        if c == '"':
            at += 1
            while text[at] != '"':
                at += 2 if text[at] == '\\' else 1
        elif c in '([{':
            depth += 1
        elif c in ')]}':
            depth -= 1
        if depth == 0 or (c == ',' and depth == 1):
            args.append(' '.join(text[begin:at].split()))
            begin = at + 1
        at += 1
    return args


class Source:
    def __init__(self, root, path):
        self.root, self.path = root, path
        with open(os.path.join(root, path), encoding='utf-8') as f:
            self.text = f.read()
        self.functions = [(m.group(1), m.group(2), m.group(3), m.start(3)) for m in FUNCTION.finditer(self.text)]

    def function_at(self, at):
        for name, parameters, body, begin in self.functions:
            if begin <= at < begin + len(body):
                return name, parameters, body, begin
        return None

    def names(self, expression, at):
        """The row names that an expression of the function around `at` can have."""
        found = set(LITERAL.findall(re.sub(r'==\s*"[^"]*"', '', expression)))
        known = False
        for (path, part), where in INDIRECT.items():
            if path == self.path and part in expression:
                known = True
                if isinstance(where, tuple):
                    found |= self.scan(*where)
        if re.fullmatch(r'row|\w+\[i\]\.row', expression) and not known:
            name, parameters, body, begin = self.function_at(at)
            known = True
            if '.row' in expression:  # an array of the function with that member: {bit, "row", ...} or {"row", ...}
                array = re.escape(expression.split('[')[0])
                init = re.search(r'\b%s\[\] = \{(.*?)\};' % array, body, re.S)
                found |= set(re.findall(r'\{(?:FL_\w+, )?"([^"]+)"', init.group(1)))
            elif re.search(r'const char \*row\b', parameters):
                index = [' '.join(p.split()) for p in parameters.split(',')].index('const char *row')
                for call in re.finditer(r'\b%s\(' % name, self.text):
                    args = arguments(self.text, call.end())
                    if self.function_at(call.start()) and not args[index].startswith('const char'):
                        found |= self.names(args[index], call.start())
            else:
                for value in re.finditer(r'\brow = ([^,;]*)[,;]', body):
                    found |= self.names(value.group(1), begin + value.start())
        if not found and not known:
            line = self.text.count('\n', 0, at) + 1
            fail(f'{self.path}:{line}: cannot tell which rows "{expression}" names; say so in INDIRECT')
        return found

    def scan(self, pattern, *regexes):
        found = set()
        for path in glob.glob(os.path.join(self.root, pattern)):
            with open(path, encoding='utf-8') as f:
                text = f.read()
                found |= {name for regex in regexes for name in re.findall(regex, text)}
        if not found:
            fail(f'{pattern}: nothing there looks like {regexes[0]}: INDIRECT is out of date')
        return found

    def classes(self):
        for call in CALL.finditer(self.text):
            args = arguments(self.text, call.end())
            if self.function_at(call.start()) is None:
                continue  # the definition itself
            variable, pair = PAIRS.get(self.path, (None, None))
            if args[1] == variable:
                found = re.findall(pair, self.text)
                if not found:
                    fail(f'{self.path}: nothing there looks like {pair}: PAIRS is out of date')
                yield from (check.lower().replace('_', '-') + '/' + row for check, row in found)
                continue
            for check in CHECKS.get(args[1], (args[1],)):
                if not check.startswith('FL_CHECK_'):
                    fail(f'{self.path}: cannot tell which check "{check}" is; say so in CHECKS')
                for row in self.names(args[2], call.start()):
                    yield check[9:].lower().replace('_', '-') + '/' + row


def from_tests(root):
    """Keys in tests of what makes them, in the corpus and in documents: what somebody saw is a class, whatever the scan
    above thinks."""
    checks = 'walk|executor|decision|effect|lock|rewalk|progress|bound|contract|prefetch|decoder|transparency|message|' \
             'signal|interference|sync|table-read|generation|pin|perm|cow|pin-diff'
    for folder in ('tests/policy/*.c', 'tests/fuzz/*.c', 'tests/sync/*.c', 'corpus/*/*.scn', 'docs/*.md', 'README.md'):
        for path in glob.glob(os.path.join(root, folder)):
            with open(path, encoding='utf-8') as f:
                for key in re.findall(r'(?<![\w/.-])((?:%s)/[a-z0-9-]+)/[a-z0-9-]+/[a-z0-9-]+(?![\w/.-])' % checks, f.read()):
                    yield key, os.path.relpath(path, root)


def frame(name, number):
    """A name as unlike all others as can be: ClusterFuzz takes similar names of frames for the same bug."""
    digest = hashlib.sha256(f'{name} {number}'.encode()).digest()
    return 'x' + ''.join(ALPHABET[b % 26] for b in digest[:13])


def entry(name):
    check, row = (part.replace('-', '_') for part in name.split('/'))
    function = f'{check}__{row}' if row else check
    return f'FL_CLASS({function}, {frame(name, 1)}, {frame(name, 2)})'


def main():
    root, tables = sys.argv[1:3]
    printed = subprocess.run([tables], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    wanted = set(printed)
    pinning = {path for pattern in PINNING for path in glob.glob(os.path.join(root, pattern))}
    paths = sorted({path for pattern in ('oracle/compare*.c', 'fuzz/judge/*.c')
                    for path in glob.glob(os.path.join(root, pattern))} | pinning)
    scanned, pins = set(), set()
    for path in paths:
        found = set(Source(root, os.path.relpath(path, root)).classes())
        scanned |= found
        pins |= found if path in pinning else set()
    rules = set(subprocess.run([tables, 'pin'], check=True, stdout=subprocess.PIPE, text=True).stdout.split())
    if pins != rules:
        fail(f'fl_pin_rules() lacks {sorted(pins - rules)}, and nothing breaks its {sorted(rules - pins)}')
    wanted |= scanned
    if len(printed) < 100 or len(scanned) < 100:
        fail(f'only {len(printed)} rows of tables and {len(scanned)} of sources: the scan is broken')
    seen = 0
    for name, path in from_tests(root):
        seen += 1
        if name not in wanted and name not in MADE_UP:
            fail(f'{path} has a key of class {name}, which no source has')
    if seen < 50:
        fail(f'only {seen} keys in tests, corpus and documents: the scan is broken')

    listed_path = os.path.join(root, 'fuzz/engine/classes.def')
    lines = [entry(name) for name in sorted(wanted)]
    if sys.argv[3:] == ['--write']:
        head = '''/* SPDX-License-Identifier: MIT */
/*
 * The divergence classes: check and row (check alone: rows that nobody listed), and the names of the two frames below the
 * trap (trap.c). Written by tests/classes/classes.py ROOT ROW_TABLES --write, and held against the sources by the same.
 */
'''
        with open(listed_path, 'w', encoding='utf-8') as f:
            f.write(head + '// clang-format off\n' + '\n'.join(lines) + '\n// clang-format on\n')
        print(f'{len(lines)} classes written')
        return
    with open(listed_path, encoding='utf-8') as f:
        listed = [line for line in f.read().splitlines() if line.startswith('FL_CLASS')]
    wrong = [f'missing: {line}' for line in lines if line not in listed]
    wrong += [f'no source has it: {line}' for line in listed if line not in lines]
    if wrong:
        fail('fuzz/engine/classes.def is out of date, run this with --write\n' + '\n'.join(wrong[:20]))
    print(f'{len(lines)} classes: {len(printed)} from tables, {len(scanned)} from {len(paths)} files; '
          f'{seen} keys of tests, corpus and documents are among them')


main()
