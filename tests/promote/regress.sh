#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faultline repro --regressions: what holds, what does not, and what cannot be said.
#   regress.sh ROOT FAULTLINE BUG-CORE
# BUG-CORE has the scanner's window one byte short: key prefetch/rule/ignored/not-ignored.
set -uo pipefail
root=$1 program=$2 core=$3
# shellcheck source=tests/promote/common.sh
. "$root/tests/promote/common.sh"
corpus=$work/corpus
mkdir "$corpus"

scenario() { # NAME STATE: 15 bytes of prefixes and a prefetch, which the bug does not see to the end
    cat >"$corpus/$1.scn" <<TEXT
faultline-scenario 2
# The scanner gave up one byte too early.
# found by: hand
# finding: prefetch/rule/ignored/not-ignored
$2
mode 4level
vendor amd
family 15

decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 18
TEXT
    echo "record 1: prefetch" >"$corpus/$1.expect"
}

# ---- holds
scenario 0003-window-of-the-scanner ''
run 0 repro --regressions "$corpus"
says '^0003 window of the scanner: holds, 1 events, 1 endings$'
says '^1 regressions: 1 hold, 0 do not, 0 left out; 1 events judged, 1 endings compared$'

# ---- comes back, by number, title and story; each state has its words
run 1 repro --regressions --core "$core" "$corpus"
says '^REGRESSION 0003 is back: window of the scanner$'
says '^  story: +The scanner gave up one byte too early\.$'
says '^  key: +prefetch/rule/ignored/not-ignored$'
says '^  where: +record 1 of 1: decode 64 user: 66 '
says '^  expected: ignored$'
says '^  actual: +not-ignored$'
says "^  more: +faultline explain --core $core $corpus/0003-window-of-the-scanner.scn$"
FAULTLINE_CORE=$core run 1 repro --regressions "$corpus"
says '^REGRESSION 0003 is back'
scenario 0003-window-of-the-scanner '# state: crashing since e6f1ac2'
run 1 repro --regressions --core "$core" "$corpus"
says '^REGRESSION 0003 is not fixed yet: window of the scanner$'
run 0 repro --regressions "$corpus"
says 'clean now; faultline promote --advance counts this build'
scenario 0003-window-of-the-scanner '# state: incubating since e6f1ac2, clean under e6f1ac2 2334427'
run 1 repro --regressions --core "$core" "$corpus"
says '^REGRESSION 0003 diverges again, after 2 clean builds: window of the scanner$'
scenario 0003-window-of-the-scanner '# state: regression since e6f1ac2'
run 1 repro --regressions --core "$core" "$corpus"
says '^REGRESSION 0003 is back'
sed -i 's/^# finding: .*/# finding: rewalk\/access\/ok\/pf-pkey/' "$corpus"/*.scn
run 1 repro --regressions --core "$core" "$corpus"
says '^REGRESSION 0003 diverges, with another key than its own: window of the scanner$'
run 1 repro --regressions --json --core "$core" "$corpus"
says '"verdict": "diverged"'

# ---- a story that would write to the terminal, and one without an end
scenario 0003-window-of-the-scanner ''
sed -i $'s/gave up one/\x1b[31mgave\xff/' "$corpus"/*.scn
run 1 repro --regressions --core "$core" "$corpus"
says '^  story: +The scanner \?\[31mgave\? byte'
{ head -n 1 "$corpus/0003-window-of-the-scanner.scn"; yes '# and so on' | head -n 20000; tail -n 5 "$corpus/0003-window-of-the-scanner.scn"; } >"$work/long"
mv "$work/long" "$corpus/0003-window-of-the-scanner.scn"
run 1 repro --regressions --core "$core" "$corpus"
holds "$(wc -l <"$work/out")" -lt 2000

# ---- ends otherwise, has no .expect, an incomplete or an empty one
scenario 0003-window-of-the-scanner ''
echo "record 1: no prefetch" >"$corpus/0003-window-of-the-scanner.expect"
run 1 repro --regressions "$corpus"
says '^REGRESSION 0003 ends otherwise: window of the scanner$'
says '^  expected: record 1: no prefetch$'
says '^  actual: +record 1: prefetch$'
echo "# no event here ends in any way" >"$corpus/0003-window-of-the-scanner.expect"
run 1 repro --regressions "$corpus"
says '^  expected: nothing more$'
printf '# incomplete: why\n' >"$corpus/0003-window-of-the-scanner.expect"
run 1 repro --regressions "$corpus"
says '^REGRESSION 0003: .*expect is incomplete'
: >"$corpus/0003-window-of-the-scanner.expect"
run 1 repro --regressions "$corpus"
complains 'expect: is empty'
rm "$corpus/0003-window-of-the-scanner.expect"
run 1 repro --regressions "$corpus"
says '^REGRESSION 0003 has no 0003-window-of-the-scanner.expect beside it'

# ---- nothing judged is nothing held
scenario 0003-window-of-the-scanner ''
sed -i '/^decode/d' "$corpus"/*.scn
echo "# nothing" >"$corpus/0003-window-of-the-scanner.expect"
run 1 repro --regressions "$corpus"
says '^REGRESSION 0003 judges nothing'
mkdir "$work/empty"
run 2 repro --regressions "$work/empty"
complains 'nothing was judged'
run 2 repro --regressions "$work/nowhere"
complains 'nowhere: No such file'
cp "$root"/corpus/regressions/0007-* "$work/empty"
run 2 repro --regressions --no-executor "$work/empty"
says '^0007 loop of history in exec: left out'
complains 'nothing was judged'

# ---- what does not belong there
scenario 0003-window-of-the-scanner ''
scenario 3-the-same-number ''
run 2 repro --regressions "$corpus"
complains 'its number is taken by'
rm "$corpus"/3-*.scn
run 2 repro --regressions "$corpus"
complains '3-the-same-number.expect: there is no scenario beside it'
rm "$corpus"/3-*.expect
cp "$corpus/0003-window-of-the-scanner.scn" "$corpus/no-number.scn"
run 2 repro --regressions "$corpus"
complains 'no-number.scn: does not belong here'
rm "$corpus/no-number.scn"
scenario 0003-window-of-the-scanner '# state: asleep'
run 2 repro --regressions "$corpus"
complains 'scanner.scn:5: state "asleep": expected crashing'
head -c 3000 /dev/urandom >"$corpus/0003-window-of-the-scanner.scn"
run 2 repro --regressions "$corpus"
complains 'scanner.scn:1:'
run 2 repro --regressions --target walk "$corpus"
run 2 repro --regressions --core "$work/nowhere.so" "$corpus"
complains 'nowhere.so: there is no such file'

end_checks
