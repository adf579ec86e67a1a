# SPDX-License-Identifier: MIT
"""A program on a pseudo terminal, and what a person in front of it would see: as much of an xterm as ncurses uses."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata

SEQUENCE = re.compile(r"\x1b(?:\[([?>]?)([0-9;]*)([@-~])|([()][A-Z0-9])|([=>78MDEc])|\](?:[^\x07\x1b]*)(?:\x07|\x1b\\))")


class Screen:
    def __init__(self, rows, columns):
        self.colours, self.alternate, self.strange = set(), False, []
        self.pending, self.last = "", " "
        self.y = self.x = 0
        self.resize(rows, columns)

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.top, self.bottom = 0, rows - 1
        self.y, self.x = min(self.y, rows - 1), min(self.x, columns - 1)

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def line(self, i):
        return "".join(self.cells[i]).rstrip()

    def scroll(self, n):
        for _ in range(abs(n)):
            if n > 0:
                del self.cells[self.top]
                self.cells.insert(self.bottom, [" "] * self.columns)
            else:
                del self.cells[self.bottom]
                self.cells.insert(self.top, [" "] * self.columns)

    def put(self, c):
        if unicodedata.combining(c):
            return
        if self.x >= self.columns:
            self.x = 0
            self.down()
        self.cells[self.y][self.x] = self.last = c
        self.x += 1

    def down(self):
        if self.y == self.bottom:
            self.scroll(1)
        else:
            self.y = min(self.y + 1, self.rows - 1)

    def erase(self, y, first, last):
        for x in range(max(first, 0), min(last, self.columns)):
            self.cells[y][x] = " "

    def sequence(self, private, numbers, end):
        given = [int(n) if n else 0 for n in numbers.split(";")]
        one = max(given[0], 1)
        if private:
            if end in "hl" and 1049 in given:
                self.alternate = end == "h"
        elif end in "Hf":
            self.y = min(one, self.rows) - 1
            self.x = min(max(given[1], 1) if len(given) > 1 else 1, self.columns) - 1
        elif end == "d":
            self.y = min(one, self.rows) - 1
        elif end == "G":
            self.x = min(one, self.columns) - 1
        elif end == "A":
            self.y = max(self.y - one, 0)
        elif end == "B":
            self.y = min(self.y + one, self.rows - 1)
        elif end == "C":
            self.x = min(self.x + one, self.columns - 1)
        elif end == "D":
            self.x = max(self.x - one, 0)
        elif end == "K":
            first, last = ((self.x, self.columns), (0, self.x + 1), (0, self.columns))[given[0]]
            self.erase(self.y, first, last)
        elif end == "J":
            if given[0] == 0:
                self.erase(self.y, self.x, self.columns)
            for y in range(self.y + 1 if given[0] == 0 else 0, self.rows if given[0] != 1 else self.y):
                self.erase(y, 0, self.columns)
        elif end == "X":
            self.erase(self.y, self.x, self.x + one)
        elif end == "P":
            row = self.cells[self.y]
            row[self.x:] = (row[self.x + one:] + [" "] * one)[:self.columns - self.x]
        elif end == "@":
            row = self.cells[self.y]
            row[self.x:] = ([" "] * one + row[self.x:])[:self.columns - self.x]
        elif end in "LM":
            top, self.top = self.top, self.y
            self.scroll(one if end == "M" else -one)
            self.top = top
        elif end in "ST":
            self.scroll(one if end == "S" else -one)
        elif end == "b":
            for _ in range(one):
                self.put(self.last)
        elif end == "r":
            self.top, self.bottom = one - 1, (given[1] if len(given) > 1 and given[1] else self.rows) - 1
            self.y = self.x = 0
        elif end == "m":
            self.colours |= {n for n in given if 30 <= n <= 37 or 90 <= n <= 97}
        elif end not in "lhtn":
            self.strange.append(numbers + end)

    def feed(self, text):
        text = self.pending + text
        i = 0
        while i < len(text):
            c = text[i]
            if c == "\x1b":
                match = SEQUENCE.match(text, i)
                if not match:
                    if len(text) - i < 64:
                        break
                    self.strange.append(text[i:i + 8])
                    i += 1
                    continue
                if match.group(3):
                    self.sequence(match.group(1), match.group(2), match.group(3))
                elif match.group(5) == "M":
                    if self.y == self.top:
                        self.scroll(-1)
                    else:
                        self.y -= 1
                i = match.end()
                continue
            if c == "\r":
                self.x = 0
            elif c == "\n":
                self.down()
            elif c == "\b":
                self.x = max(self.x - 1, 0)
            elif c == "\t":
                self.x = min((self.x // 8 + 1) * 8, self.columns - 1)
            elif c >= " ":
                self.put(c)
            i += 1
        self.pending = text[i:]


class Terminal:
    """argv on a terminal of that size. code: its exit code, once it has ended."""

    def __init__(self, argv, rows=24, columns=80, **environment):
        self.screen, self.raw, self.code = Screen(rows, columns), "", None
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.pop("NO_COLOR", None)
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", TZ="UTC")
            os.environ.update(environment)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            for name in "LINES", "COLUMNS":
                os.environ.pop(name, None)
            os.execvp(argv[0], argv)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)
        os.kill(self.pid, signal.SIGWINCH)

    def read(self, seconds):
        """What comes within that time. False: nothing more will."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            self.end()
            return False
        text = self.decoder.decode(data)
        self.raw += text
        self.screen.feed(text)
        return True

    def wait(self, seen, seconds=20):
        """Until the screen is as seen(screen) wants it. False: it never was."""
        until = time.monotonic() + seconds
        while not seen(self.screen):
            left = until - time.monotonic()
            if left <= 0 or not self.read(min(left, .2)):
                return seen(self.screen)
        return True

    def shows(self, text, seconds=20):
        found = self.wait(lambda screen: text in screen.text(), seconds)
        self.settle()
        return found and text in self.screen.text()

    def settle(self):
        """Until nothing has come for a while."""
        before = None
        while before != len(self.raw):
            before = len(self.raw)
            if not self.read(.15):
                break

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        if self.code is None:
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)

    def finish(self, seconds=20):
        """Reads on until the program has ended."""
        until = time.monotonic() + seconds
        while self.code is None and time.monotonic() < until:
            if not self.read(.2):
                break
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.end()
        os.close(self.fd)
        return self.code
