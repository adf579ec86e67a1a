# SPDX-License-Identifier: MIT
"""`campaign status` as people meet it: printed, as JSON, and live on a terminal of its own.

usage: status.py STATUS SAMPLE, the built tests/status/main.c and tests/report/sample.c
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from terminal import Terminal

STATUS, SAMPLE = sys.argv[1:3]
WORK = pathlib.Path(tempfile.mkdtemp(prefix="faultline-status-"))
checks = failures = 0


def check(good, what):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print("FAILED:", what, file=sys.stderr)


def sample(kind):
    folder = WORK / kind
    if not folder.exists():
        subprocess.run([SAMPLE, kind, folder], check=True)
    return str(folder)


def printed(*arguments, **environment):
    done = subprocess.run([STATUS, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# ---- printed -------------------------------------------------------------------------------------------------------

def test_table():
    code, out, err = printed(sample("plain"))
    check(code == 1 and not err, f"plain: exit code {code}, {err}")
    for text in ("stopped", "its time is over", "faultline campaign resume", "ran 1:00:00", "1 critical, 1 high",
                 "1 of them back again", "1 fixed", "1 left aside", "12033 artifacts", "fault-afl-0", "died by signal 9",
                 "failed", "no room for its map", "decision/user-segv-maperr/signal:SEGV_MAPERR/handled", "critical",
                 "regression", "decision 5level", "1398 decision cells", "12 GB free"):
        check(text in out, f"plain: it says {text!r}")
    check("\x1b" not in out, "plain: no escape sequence")
    check(max(map(len, out.splitlines())) <= 100, "plain: at most 100 columns")
    blocks = re.search("cells, log t ([▁-█]+)", out)
    check(blocks and len(set(blocks[1])) >= 5 and list(blocks[1]) == sorted(blocks[1]), f"a sparkline that grows: {blocks}")
    code, out, err = printed(sample("plain"), LC_ALL="C")
    check(code == 1 and out.isascii() and re.search("cells, log t [.:=+*%#-]+", out), "in the C locale: ASCII only")
    code, out, err = printed(sample("clean"))
    check(code == 0 and "nothing was found" in out, f"clean: exit code {code}")
    code, out, err = printed(sample("empty"))
    check(code == 0 and "has not been started" in out and "campaign start" in out, f"empty: exit code {code}")
    code, out, err = printed(sample("hostile"))
    check(code == 1 and not re.search("[\x00-\x09\x0b-\x1f\x7f]", out), "hostile: no control character")
    code, out, err = printed(sample("long"))
    check("ran 40d 00:00:00" in out, "long: days")


def test_json():
    code, out, err = printed("--json", sample("plain"))
    said = json.loads(out)
    check(code == 1 and not err, f"JSON: exit code {code}, {err}")
    check(said["supervisor"]["presence"] == "stopped" and said["open_findings"] == 2 and said["decision_cells"] == 1398,
          "JSON: figures")
    check(len(said["jobs"]) == 10 and len(said["findings"]) == 4 and set(said["targets"]) ==
          {"walk", "fault", "prefetch", "vmalloc", "gup"}, "JSON: lists")
    check(sum(said["decision_cells_by_kind"].values()) == said["decision_cells"], "JSON: cells by kind add up")
    check(said["totals"]["executions"] == sum(t["executions"] for t in said["targets"].values()), "JSON: totals add up")
    check(json.loads(printed("--json", sample("hostile"))[1])["findings"][0]["key"], "JSON: hostile")
    check(json.loads(printed("--json", sample("empty"))[1])["supervisor"]["presence"] == "none", "JSON: empty")


def test_mistakes():
    (WORK / "random").mkdir()
    (WORK / "random" / "campaign.db").write_bytes(bytes(range(256)) * 40)
    for folder in "nowhere", "random", ".":
        code, out, err = printed(str(WORK / folder))
        check(code == 2 and not out and err.count("\n") == 1 and err.startswith("faultline: "), f"{folder}: {code} {err}")
    for arguments in ["--interval", "0"], ["--interval", "nan"], ["a", "b"], ["--no"]:
        check(printed(*arguments)[0] == 2, f"{arguments}: exit code")
    code, out, err = printed(FAULTLINE_BUILD=str(WORK / "build"))
    check(code == 2 and f"{WORK}/build/campaign" in err, f"the folder by default: {err}")


# ---- live ----------------------------------------------------------------------------------------------------------

def test_panes():
    folder = sample("plain")
    for rows, columns in (24, 80), (60, 200):
        t = Terminal([STATUS, folder], rows, columns)
        check(t.shows("q quit"), f"{columns}x{rows}: it draws")
        check(t.screen.alternate, "on a screen of its own")
        check(t.screen.line(0) == f"faultline campaign {folder}"[:columns], f"first line {t.screen.line(0)!r}")
        check(t.screen.line(rows - 1).startswith("q quit"), f"last line {t.screen.line(rows - 1)!r}")
        check("1 targets" in t.screen.text() and "target" in t.screen.text() and "execs" in t.screen.text(), "targets")
        check(columns < 110 or "edges over time" in t.screen.text(), "wide: edges over time in the row")
        for keys, text in (("\t", "job                  state"), ("\t", "severity status"), ("\t", "target         cells"),
                           ("\t", "none: this campaign works on one machine"), ("\t", "execs    now/s"),
                           ("\x1b[Z", "none: this"), ("3", "severity status"), ("\x1bOD", "job          "),
                           ("\x1bOC", "severity status"), ("1", "execs    now/s")):
            t.press(keys)
            check(t.shows(text), f"{columns}x{rows}: {keys!r} shows {text!r}:\n{t.screen.text()}")
        t.press("?")
        check(t.shows("quit (the campaign goes on)"), "help")
        t.press("j")
        check(t.shows("execs    now/s") and "the campaign goes on" not in t.screen.text(), "any key leaves the help")
        t.press("q")
        check(t.finish() == 1, f"q ends it with exit code {t.code}")
        check(not t.screen.alternate, "the screen is given back")
        check(not t.screen.strange, f"sequences that were not understood: {t.screen.strange}")
        check(t.screen.colours, "colours")
    t = Terminal([STATUS, folder], NO_COLOR="1")
    check(t.shows("q quit"), "NO_COLOR: it draws")
    t.press("3")
    t.shows("severity")
    t.press("q")
    check(t.finish() == 1 and not t.screen.colours, f"NO_COLOR: colours {t.screen.colours}")
    t = Terminal([STATUS, folder], TERM="vt220")
    check(t.shows("q quit"), "without colours: it draws")
    t.press("q")
    check(t.finish() == 1 and not t.screen.colours, f"without colours: {t.screen.colours}")
    for term in "dumb", "", "no-such-terminal":
        t = Terminal([STATUS, folder], TERM=term)
        check(t.finish() == 1 and "\x1b[H" not in t.raw and "12033 artifacts" in t.raw, f"TERM={term}: the table")
    check("\x1b" not in Terminal_raw([STATUS, folder], TERM="dumb"), "TERM=dumb: no escape sequence")
    t = Terminal([STATUS, "--once", folder])
    check(t.finish() == 1 and "\x1b[31m" in t.raw and not t.screen.alternate, "--once: the table, in colour")
    check("\x1b" not in Terminal_raw([STATUS, "--once", folder], NO_COLOR="1"), "--once, NO_COLOR")


def Terminal_raw(argv, **environment):
    t = Terminal(argv, **environment)
    t.finish()
    return t.raw


def test_scrolling():
    t = Terminal([STATUS, sample("hostile")], 24, 80)
    check(t.shows("q quit"), "it draws")
    t.press("3")
    check(t.shows("severity status"), "findings")
    check("more below" in t.screen.line(23), "it says that there is more")
    first = t.screen.text()
    for down, up in ("j", "k"), ("\x1bOB", "\x1bOA"), (" ", "b"), ("\x1b[6~", "\x1b[5~"), ("G", "g"), ("\x1bOF", "\x1bOH"):
        t.press(down)
        check(t.wait(lambda s: "severity status" not in s.text()), f"{down!r} scrolls down")
        t.press(up)
        check(t.wait(lambda s: "severity status" in s.text()), f"{up!r} scrolls up")
    t.settle()
    now, first = (re.sub(r"\d\d:\d\d:\d\d", "", text) for text in (t.screen.text(), first))
    check(now == first, f"as it was at first:\n{now}\n{first}")
    t.press("G")
    check(t.shows("faultline explain"), "the last line")
    check("more below" not in t.screen.line(23), "nothing more")
    t.press("k" * 500 + "j" * 3)
    check(t.wait(lambda s: "severity status" not in s.text() and "more below" in s.text()), "three lines down")
    t.press("q")
    check(t.finish() == 1 and not t.screen.strange, f"q: {t.code}, {t.screen.strange}")


def test_resizing():
    t = Terminal([STATUS, sample("plain")], 24, 80)
    check(t.shows("q quit"), "it draws")
    for rows, columns in (60, 200), (24, 80), (30, 120), (5, 20), (1, 1), (24, 80):
        t.resize(rows, columns)
        check(t.wait(lambda s: s.line(rows - 1).startswith("q quit"[:columns])), f"{columns}x{rows}:\n{t.screen.text()}")
        if rows >= 24:
            check(t.shows("execs    now/s"), f"{columns}x{rows}: the pane is there")
    t.press("q")
    check(t.finish() == 1, f"exit code {t.code}")


def test_live():
    folder = WORK / "live"
    writer = subprocess.Popen([SAMPLE, "live", folder], stdout=subprocess.PIPE)
    check(int(writer.stdout.readline()) == writer.pid, "a supervisor that writes")
    code, out, err = printed(str(folder))
    check("running: 2 of 2 slots at work" in out and " left (run 1)" in out and f"process {writer.pid}" in out, out[:400])
    check(json.loads(printed("--json", str(folder))[1])["executions_per_second"] > 1000, "a rate of now")
    t = Terminal([STATUS, "--interval", "0.2", folder])
    check(t.shows("running: 2 of 2"), "running")
    seen = set()
    for _ in range(60):
        t.read(.2)
        found = re.search(r"executions +(\S+)", t.screen.text())
        if found:
            seen.add(found[1])
        if len(seen) > 2:
            break
    check(len(seen) > 2, f"the figures go on: {seen}")
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    check(t.shows("not answering since"), "killed: it says since when")
    check("campaign resume" in re.sub(r"\s+", " ", t.screen.text()), "and how to go on")
    t.press("q")
    check(t.finish() == 1, f"exit code {t.code}")
    code, out, err = printed(str(folder))
    check(code == 1 and f"its process {writer.pid} is gone" in re.sub(r"\s+", " ", out), "killed: printed")
    check(json.loads(printed("--json", str(folder))[1])["supervisor"]["presence"] == "gone", "killed: JSON")
    t = Terminal([STATUS, "--interval", "0.2", folder])
    check(t.shows("q quit"), "it draws")
    shutil.rmtree(folder)
    check(t.finish() == 2 and "folder is gone" in t.raw.split("\x1b[?1049l")[-1], f"removed: {t.code}, {t.raw[-300:]!r}")
    paused = WORK / "paused"
    writer = subprocess.Popen([SAMPLE, "paused", paused])
    t = Terminal(["sh", "-c", f"until [ -e {paused}/findings ]; do sleep .1; done; exec {STATUS} {paused}"])
    check(t.shows("paused: no space left"), f"paused:\n{t.screen.text()}")
    t.press("q")
    check(t.finish() == 1, "exit code")
    writer.kill()
    writer.wait()
    t = Terminal([STATUS, sample("clean")])
    check(t.shows("q quit"), "it draws")
    os.kill(t.pid, signal.SIGTERM)
    check(t.finish() == 0 and not t.screen.alternate, f"SIGTERM gives the screen back: {t.code}")


def has_terminals():
    """Does this machine hand out pseudo terminals? A bare chroot without /dev/pts does not."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def main():
    tests = [test_table, test_json, test_mistakes]
    live = has_terminals()
    if live:
        tests += [test_panes, test_scrolling, test_resizing, test_live]
    try:
        for test in tests:
            before = failures
            test()
            print(f"{test.__name__}: {'ok' if failures == before else 'FAILED'}")
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"status: {checks} comparisons, {failures} failures")
    if failures or not checks:
        return 1
    if not live:
        print("skipped: no pseudo terminals here (is /dev/pts mounted?): the live screen was not looked at")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
