#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real targets (libFuzzer's, or replayers with a sanitizer) on seeds that show the bugs of three cores: the stack that a
sanitizer prints begins with the class of the key that the target prints.

usage: stacks.py ROOT TARGETS FL_EXPORT BUGS WORKDIR     folders of the built targets and of the cores that are wrong
Exit code 77: there is no llvm-symbolizer.
"""
import glob
import os
import re
import shutil
import subprocess
import sys

# Core, target, and the scenario that shows its bug.
CASES = [
    ('prefetch-window', 'prefetch', 'seeds/prefetch-decode'),
    ('sync-flush', 'vmalloc', 'regressions/0006-1-gib-leaf-without-1-gib-pages'),
    ('write-readable', 'fault', 'reproductions/31-oom-of-init'),
]


def fail(text):
    sys.exit(f'tests/classes/stacks.py: {text}')


def main():
    root, targets, export, bugs, work = sys.argv[1:]
    if not shutil.which('llvm-symbolizer'):
        print('there is no llvm-symbolizer')
        sys.exit(77)
    with open(os.path.join(root, 'fuzz/engine/classes.def'), encoding='utf-8') as f:
        classes = {m[0]: [f'die_{m[0]}', m[1], m[2]] for m in re.findall(r'^FL_CLASS\((\w+), (\w+), (\w+)\)$', f.read(), re.M)}
    options = 'handle_sigill=1:dedup_token_length=3:symbolize=1:detect_leaks=0:print_stacktrace=1'
    base = {**os.environ, 'ASAN_OPTIONS': options, 'UBSAN_OPTIONS': options, 'FAULTLINE_EXECUTOR': '0'}
    tokens = {}
    for bug, target, scenario in CASES:
        seeds = os.path.join(work, 'seeds')
        shutil.rmtree(seeds, ignore_errors=True)
        subprocess.run([export, 'seeds', target, seeds, os.path.join(root, 'corpus', scenario + '.scn')], check=True,
                       stdout=subprocess.DEVNULL)
        seed = glob.glob(seeds + '/*')[0]
        argv = [os.path.join(targets, 'fl-' + target), seed]
        core = os.path.join(bugs, f'bug-{bug}.so')
        for environment, clean in ((base, True), ({**base, 'FAULTLINE_CORE': core}, False)):
            done = subprocess.run(argv, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors='replace')
            if (done.returncode == 0) != clean:
                fail(f'fl-{target} {scenario} ended with {done.returncode}, core {bug if not clean else "of this tree"}\n'
                     + done.stdout[-3000:])
        key = re.search(r'^faultline-divergence: (\S+)', done.stdout, re.M)
        token = re.search(r'^DEDUP_TOKEN: (.*)$', done.stdout, re.M)
        if not key or not token:
            fail(f'fl-{target} with core {bug}: no key or no token\n{done.stdout[-3000:]}')
        check, row = key.group(1).replace('-', '_').split('/')[:2]
        if token.group(1) != '--'.join(classes[f'{check}__{row}']):
            fail(f'key {key.group(1)}, but the stack begins with {token.group(1)}')
        tokens[token.group(1)] = key.group(1)
    if len(tokens) != len(CASES):
        fail(f'{len(CASES)} bugs, {len(tokens)} stacks: {tokens}')
    print('stacks of ' + ', '.join(tokens.values()) + ' begin with their classes')


main()
