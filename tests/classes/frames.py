#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Dies of every divergence class under each compiler, sanitizer and linker that is there, and looks at the stacks: the
frames on top are those of the class and of no other. Two classes are looked at through libFuzzer and a symbolizer.

usage: frames.py ROOT WORKDIR [--more]
"""
import os
import re
import shutil
import subprocess
import sys

# What might take frames apart or put them together. The first word is what has to be there.
BUILDS = [
    'gcc -O2 -flto -fomit-frame-pointer',
    'clang -O1 -fsanitize=address -fno-omit-frame-pointer',
    'clang -O2 -flto -fuse-ld=lld -Wl,--icf=all',
]
MORE_BUILDS = [
    'gcc -O0',
    'gcc -O3',
    'clang -O2 -fsanitize=undefined',
    'clang -O1 -fsanitize=memory',
    'clang -O2 -fuse-ld=gold -Wl,--icf=all',
    'afl-clang-fast -O2',
]
NEEDED_FOR = {'-fuse-ld=lld': 'ld.lld', '-fuse-ld=gold': 'ld.gold'}
SANITIZERS = ['address', 'undefined']


def fail(text):
    sys.exit(f'tests/classes/frames.py: {text}')


def read_classes(root):
    """{"check/row": [three names]}"""
    classes = {}
    with open(os.path.join(root, 'fuzz/engine/classes.def'), encoding='utf-8') as f:
        for name, second, third in re.findall(r'^FL_CLASS\((\w+), (\w+), (\w+)\)$', f.read(), re.M):
            check, _, row = name.partition('__')
            # One of each row's spellings is enough: both are the same to fl_trap.
            classes[check.replace('_', '-') + '/' + row.replace('_', '-')] = [f'die_{name}', second, third]
    if len(classes) < 200:
        fail(f'only {len(classes)} classes in classes.def')
    return classes


def run(argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', **more)
    return done.returncode, done.stdout


def compile_it(root, flags, source, out):
    compiler, *rest = flags.split()
    code, text = run([compiler, '-std=gnu17', '-g1', '-D_GNU_SOURCE', '-I', os.path.join(root, 'fuzz'), *rest,
                      os.path.join(root, 'tests/classes', source), os.path.join(root, 'fuzz/engine/trap.c'), '-o', out],
                     env={**os.environ, 'AFL_QUIET': '1'})
    if code != 0:
        fail(f'{flags}: does not compile\n{text}')


def symbols(program):
    """Sorted (address, name) of its functions, and the address that it calls zero."""
    code, text = run(['nm', '-n', program])
    table = [line.split() for line in text.splitlines() if re.match(r'[0-9a-f]+ [a-zA-Z] ', line)]
    base = next((int(a, 16) for a, _, name in table if name == '__executable_start'), None)
    if code != 0 or base is None:
        fail(f'nm {program}: no functions, or no __executable_start')
    return [(int(a, 16) - base, name) for a, kind, name in table if kind in 'tT']


def name_at(table, address):
    low, high = 0, len(table)
    while high - low > 1:
        middle = (low + high) // 2
        if table[middle][0] <= address:
            low = middle
        else:
            high = middle
    return table[low][1]


def all_classes(root, work, flags, classes):
    program = os.path.join(work, 'trap_main')
    compile_it(root, flags, 'trap_main.c', program)
    asked = {**classes,
             'walk/no-such-row': classes['walk/'],
             'no-such-check/x': ['fl_trap', 'die_of', 'main']}
    asked = {key or 'walk/': frames for key, frames in asked.items()}
    code, text = run([program, *asked], env={**os.environ, 'ASAN_OPTIONS': 'handle_sigill=0:detect_leaks=0'})
    if code != 0:
        fail(f'{flags}: {text}')
    table = symbols(program)
    tops = {}
    seen = 0
    for line in text.splitlines():
        key, *addresses = line.split()
        # The compiler may put fl_trap's and die_of's frames together with their callers.
        want = asked[key][:1] if asked[key][0] == 'fl_trap' else asked[key]
        names = [name_at(table, int(a, 16)).split('.')[0] for a in addresses[:len(want)]]
        if names != want and not (want == ['fl_trap'] and names[0] in ('die_of', 'main')):
            fail(f'{flags}: {key} dies in {names}, not in {want}')
        tops.setdefault(addresses[0], []).append(key)
        seen += 1
    if seen != len(asked):
        fail(f'{flags}: {seen} stacks for {len(asked)} classes')
    together = [keys for keys in tops.values() if len(keys) > 1 and 'walk/no-such-row' not in keys]
    if together:
        fail(f'{flags}: these die in one place: {together}')
    print(f'{flags}: {seen} classes, each with frames of its own')


def through_libfuzzer(root, work, sanitizer, classes):
    """What the sanitizers, and through them ClusterFuzz, get to see."""
    flags = f'clang -O2 -fsanitize=fuzzer,{sanitizer}'
    program = os.path.join(work, 'trap_target')
    compile_it(root, flags, 'trap_target.c', program)
    tokens = set()
    for key in ('decision/stack-cushion', 'walk/code'):
        path = os.path.join(work, 'input')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(key)
        options = 'handle_sigill=1:dedup_token_length=3:symbolize=1:detect_leaks=0'
        code, text = run([program, path], cwd=work, env={**os.environ, 'ASAN_OPTIONS': options, 'UBSAN_OPTIONS': options})
        token = re.search(r'^DEDUP_TOKEN: (.*)$', text, re.M)
        if code == 0 or not token:
            fail(f'{flags}: {key} ended with {code}\n{text}')
        if token.group(1) != '--'.join(classes[key]):
            fail(f'{flags}: {key} has the token {token.group(1)}, not {"--".join(classes[key])}\n{text}')
        frames = re.findall(r'^ *#\d+ 0x[0-9a-f]+ in (\w+)', text, re.M)
        if frames[:3] != classes[key] or 'LLVMFuzzerTestOneInput' not in frames:
            fail(f'{flags}: {key} has the stack {frames}')
        tokens.add(token.group(1))
    if len(tokens) != 2:
        fail(f'{flags}: two classes, {len(tokens)} tokens')
    print(f'{flags}: DEDUP_TOKEN and stack name the class')


def through_afl(root, work):
    """AFL++ keeps a crash that touches an edge which no crash before it has touched."""
    program, maps = os.path.join(work, 'trap_target'), []
    compile_it(root, 'afl-clang-fast -O2 -fsanitize=fuzzer', 'trap_target.c', program)
    # Rows of one check, beside each other in the list: what comes before the trap is the same as can be.
    for key in ('effect/die-code', 'effect/die-kind'):
        path, out = os.path.join(work, 'input'), os.path.join(work, 'map')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(key)
        code, text = run(['afl-showmap', '-e', '-q', '-C', '-o', out, '--', program, path],
                         env={**os.environ, 'AFL_QUIET': '1'})
        if not os.path.exists(out):
            fail(f'afl-showmap ended with {code}\n{text}')
        with open(out, encoding='utf-8') as f:
            maps.append(set(f.read().split()))
        os.remove(out)
    if len(maps[0]) < 5 or not maps[0] - maps[1] or not maps[1] - maps[0]:
        fail(f'afl-showmap: of {len(maps[0])} and {len(maps[1])} edges the classes have '
             f'{len(maps[0] - maps[1])} and {len(maps[1] - maps[0])} for themselves')
    print(f'afl-showmap: {len(maps[0] - maps[1])} and {len(maps[1] - maps[0])} edges of their own')


def main():
    root, work, *more = sys.argv[1:]
    os.makedirs(work, exist_ok=True)
    classes = read_classes(root)
    done = 0
    for flags in MORE_BUILDS if more == ['--more'] else BUILDS:
        needed = [flags.split()[0]] + [tool for flag, tool in NEEDED_FOR.items() if flag in flags]
        missing = [tool for tool in needed if not shutil.which(tool)]
        if missing:
            print(f'{flags}: left out, there is no {missing[0]}')
            continue
        all_classes(root, work, flags, classes)
        done += 1
    if done == 0:
        fail('no compiler: nothing was compared')
    if shutil.which('clang') and shutil.which('llvm-symbolizer'):
        for sanitizer in SANITIZERS:
            through_libfuzzer(root, work, sanitizer, classes)
    else:
        print('libFuzzer: left out, there is no clang or no llvm-symbolizer')
    if shutil.which('afl-clang-fast') and shutil.which('afl-showmap'):
        through_afl(root, work)
    else:
        print('AFL++: left out, there is no afl-clang-fast')


main()
