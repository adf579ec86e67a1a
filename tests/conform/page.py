# SPDX-License-Identifier: MIT
"""Looks at the report's page in Chromium, for page.sh.

usage: page.py PORT PROFILE FOLDER, where FOLDER holds plain.html, hostile.html and empty.html.
"""
import sys

from browser import CONTRAST, DOWN, ENTER, SCREENSHOTS, SPACE, TAB, check, run_tests

# ---- widths --------------------------------------------------------------------------------------------------------

def test_widths(b):
    def fits(what, wide):
        # With script off WebDriver's own still runs.
        page, window, region, table = b.run("""
            const t = document.getElementById("classes");
            return [document.documentElement.scrollWidth, innerWidth, t.parentNode.clientWidth, t.scrollWidth]""")
        check(page <= window, f"{what}: the page is {page} wide")
        if wide:
            check(table <= region, f"{what}: the matrix is {table} wide in {region}")

    for sample in "plain", "hostile", "empty":
        for width in 1280, 1024, 400:
            b.open(sample, width)
            fits(f"{sample} at {width}", width == 1280)
            if sample != "empty":
                b.run("document.getElementById('f-open').click()")
                fits(f"{sample} at {width}, all open", False)
        # Without script nothing remembers the width it was opened at.
        b.open(sample, 1280, script=False)
        for width in 1280, 1024, 400:
            b.resize(width)
            fits(f"{sample} at {width}, without script", width == 1280)


def test_sticky(b):
    for width in 1280, 400:
        b.open("hostile", width)
        top, clear, left = b.run("""
            const head = document.querySelector("#classes thead"), row = document.querySelectorAll("#classes .c")[40];
            row.scrollIntoView({block: "center"});
            const region = document.querySelector(".tall");
            region.scrollLeft = 300;
            const box = head.getBoundingClientRect(), edge = region.getBoundingClientRect();
            return [box.top - Math.max(0, edge.top), row.getBoundingClientRect().top >= box.bottom,
                    row.cells[0].getBoundingClientRect().left - edge.left]""")
        check(abs(top) < 2 and clear, f"at {width} the header stays ({top} from the top)")
        covered = b.run("""
            const region = document.querySelector(".tall"), rows = document.querySelectorAll(".c button");
            region.scrollTop = region.scrollHeight;
            rows[299].focus();
            rows[250].focus();
            const head = document.querySelector("#classes thead").getBoundingClientRect();
            return head.bottom - rows[250].getBoundingClientRect().top""")
        check(covered <= 0, f"at {width} the header covers {covered} px of the row that has the focus")
        check(width > 400 or abs(left) < 2, f"at {width} the first column stays ({left})")


# ---- structure -----------------------------------------------------------------------------------------------------

def test_structure(b):
    b.open("hostile", 1280)
    problems = b.run("""
        const t = document.getElementById("classes"), bad = [], width = (row) =>
            [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);
        const whole = 5 + t.tHead.rows[1].cells.length;
        for (const row of [...t.tBodies].flatMap((body) => [...body.rows]))
            if (width(row) !== whole) bad.push("a row of " + width(row) + " cells: " + row.textContent.slice(0, 60));
        if (t.querySelectorAll(".c").length !== 300) bad.push("not every class has a row");
        for (const th of document.querySelectorAll("th"))
            if (!th.scope) bad.push("th without scope: " + th.textContent);
        for (const table of document.querySelectorAll("main > section > .scroll > table"))
            if (table.id !== "" && !table.caption) bad.push("no caption: " + table.id);
        for (const link of document.querySelectorAll("a[href^='#']"))
            if (!document.querySelector(link.getAttribute("href"))) bad.push("leads nowhere: " + link.outerHTML);
        const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        if (new Set(ids).size !== ids.length) bad.push("an id stands twice");
        for (const control of document.querySelectorAll("input, select, button"))
            if (!control.labels?.length && !control.textContent.trim()) bad.push("no name: " + control.outerHTML);
        if (document.querySelector("img, iframe, link:not([rel=icon]), script[src], [onload], [onerror]"))
            bad.push("an element that is not ours");
        if (document.scripts.length !== 1) bad.push("scripts: " + document.scripts.length);
        return bad""")
    for problem in problems:
        check(False, problem)
    check(len(problems) == 0, "structure")
    check(b.run("return performance.getEntriesByType('resource').length") == 0, "nothing is fetched")


def test_without_script(b):
    b.open("plain", 1280, script=False)
    shown, panels, form = b.run("""
        const seen = (s) => [...document.querySelectorAll(s)].filter((e) => e.checkVisibility()).length;
        return [seen("#classes .c"), seen("#classes .d summary"), seen("#filters")]""")
    check(shown == panels > 10 and form == 0, f"without script: {shown} classes, {panels} details, {form} filters")
    b.run("document.querySelector('.d summary').click()")
    check(b.run("return document.querySelector('.d details table').checkVisibility()"), "details open without script")
    b.shot("plain-1280-without-script", whole=True)


# ---- keyboard ------------------------------------------------------------------------------------------------------

FOCUS = "const e = document.activeElement; return e.id || e.className || e.closest('.c')?.rowIndex || e.tagName"


def test_tab_order(b):
    for width in 1280, 400:
        b.open("plain", width)
        wanted = b.run("""
            return [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
                .filter((e) => e.checkVisibility() && !e.disabled).length""")
        seen, outlines = [], 0
        b.run("window.seen = new Set()")
        for _ in range(wanted + 5):
            b.press(TAB)
            fresh, outlined, inside = b.run("""
                const e = document.activeElement;
                if (e === document.body || window.seen.has(e)) return [false, true, true];
                window.seen.add(e);
                const box = e.getBoundingClientRect();
                return [true, getComputedStyle(e).outlineStyle !== "none", box.bottom > 0 && box.top < innerHeight]""")
            if not fresh:
                break
            seen.append(b.run(FOCUS))
            outlines += outlined and inside
        check(len(seen) == wanted, f"at {width} Tab reaches {len(seen)} of {wanted} controls: {seen}")
        check(outlines == len(seen), f"at {width} the focus can be seen on {outlines} of {len(seen)}")


def test_rows(b):
    b.open("plain", 1280)
    state = """const e = document.querySelector(".c button"), p = document.getElementById(e.getAttribute("aria-controls"));
               return [e.getAttribute("aria-expanded"), p.checkVisibility(), p.textContent]"""
    b.run("document.querySelector('.c button').focus()")
    check(b.run(state)[:2] == ["false", False], "rows are closed at first")
    for key, want in (ENTER, True), (SPACE, False), (ENTER, True):
        b.press(key)
        expanded, seen, text = b.run(state)
        check((expanded == "true") == want and seen == want, f"{key!r} leaves the row at {expanded}, {seen}")
    check("capstone4-0d-0" in text and "missing from the tables" in text, "an open row gives id and reason")
    check("prefetchw" in b.run("return document.querySelectorAll('.c')[11].nextSibling.textContent"), "answers by name")
    b.press(DOWN)
    check(b.run(FOCUS) == b.run("return document.querySelectorAll('.c')[1].rowIndex"), "Down goes to the next row")
    b.run("document.querySelector('#f-open').click()")
    check(b.run("return [...document.querySelectorAll('.d')].every((e) => e.checkVisibility())"), "all rows open")
    b.run("document.querySelector('#f-open').click()")
    check(b.run("return [...document.querySelectorAll('.d')].every((e) => !e.checkVisibility())"), "all rows close")
    b.run("document.querySelector('.c td:nth-child(6)').scrollIntoView({block: 'center'})")
    x, y = b.run("const r = document.querySelector('.c td:nth-child(7)').getBoundingClientRect();"
                 "return [Math.round(r.x + 9), Math.round(r.y + 9)]")
    b.point(x, y)
    check(b.run("return document.querySelector('.c td:nth-child(7)').title")
          == "capstone: invalid, contradicts silicon, expected: capstone4-0d-0", "the tooltip says it in words")


# ---- filters -------------------------------------------------------------------------------------------------------

# What must be shown, found from the table on another way than page.js takes.
MODEL = """
    const [text, column, axis, mode, silicon, unknown] = arguments;
    const rows = [...document.querySelectorAll("#classes .c")];
    const wanted = rows.filter((row) => {
        const picked = column ? [row.children[4 + +column]] : [...row.children].slice(5);
        const says = (word) => picked.some((cell) => cell.textContent.includes(word));
        const differs = picked.some((cell) => cell.matches(".s, .a, .u, .e"));
        return (!axis || row.closest("tbody").querySelector(".g").textContent.startsWith(axis)) &&
            (!mode || row.children[1].textContent.includes(mode)) && (!silicon || says("contradicts silicon")) &&
            (!unknown || says("unexpected")) && (!column || silicon || unknown || differs) &&
            (row.textContent + " " + row.nextElementSibling.textContent).toLowerCase().includes(text);
    });
    const shown = rows.filter((row) => row.checkVisibility());
    return [wanted.length, shown.length, wanted.every((row) => row.checkVisibility()),
            document.getElementById("f-shown").textContent, document.getElementById("none").checkVisibility()]"""
SET = """
    const [text, column, axis, mode, silicon, unknown] = arguments, get = (id) => document.getElementById(id);
    get("f-text").value = text;
    get("f-column").value = column;
    get("f-axis").value = [...get("f-axis").options].find((o) => axis && o.textContent === axis)?.value ?? "";
    get("f-mode").value = [...get("f-mode").options].find((o) => mode && o.textContent.includes(mode))?.value ?? "";
    get("f-silicon").checked = silicon;
    get("f-unknown").checked = unknown;
    get("f-text").dispatchEvent(new Event("input", {bubbles: true}))"""
FILTERS = [("", "", "", "", False, False), ("", "", "", "", True, False), ("", "", "", "", False, True),
           ("", "3", "", "", False, False), ("", "3", "", "", True, False), ("", "1", "", "", False, True),
           ("", "", "cuts", "", False, False), ("", "", "", "16", False, False), ("", "", "", "64", True, True),
           ("66 00 0a", "", "", "", False, False), ("zydis-lock", "", "", "", False, False),
           ("contradicts silicon", "2", "runs", "32", True, False), ("no such thing", "", "", "", False, False)]


def test_filters(b):
    b.open("hostile", 1280)
    sizes = set()
    for want in FILTERS:
        b.run(SET, *want)
        wanted, shown, same, said, none = b.run(MODEL, *want)
        sizes.add(wanted)
        check(wanted == shown and same, f"filter {want}: {shown} rows shown, {wanted} wanted")
        check(said == f"{wanted} of 300 classes shown", f"filter {want}: it says \"{said}\"")
        check(none == (wanted == 0), f"filter {want}: that nothing matches is said: {none}")
    check(len(sizes) >= 8, f"the filters differ in what they show: {sorted(sizes)}")
    # As a person would: by keyboard only.
    b.run("document.getElementById('f-reset').focus()")
    b.press(ENTER)
    check(b.run(MODEL, *FILTERS[0])[1] == 300, "Clear filters shows all")
    b.run("document.getElementById('f-unknown').focus()")
    b.press(SPACE)
    check(b.run(MODEL, *FILTERS[2])[:3] == [12, 12, True], "Space on \"only unexpected\"")
    b.run("document.getElementById('f-text').focus()")
    b.press(*"00 fa")
    check(b.run(MODEL, "00 fa", *FILTERS[2][1:])[:3] == [1, 1, True], "typing narrows it")


# ---- colours -------------------------------------------------------------------------------------------------------

VERDICTS = "PNOISCLWRFXH0_"


def test_contrast(b):
    grounds = set()
    for scheme in "light", "dark":
        for sample in "hostile", "plain":
            b.open(sample, 1280, scheme)
            b.run("document.getElementById('f-open').click()")
            b.run("document.documentElement.style.transition = 'none'")
            pairs, ground = b.run(CONTRAST)
            grounds.add(ground)
            for name, contrast in pairs:
                check(contrast >= 4.5, f"{scheme}: contrast of {name} is {contrast:.2f}")
            if sample == "hostile":
                for verdict in VERDICTS:
                    check(any(f"v{verdict}" in name for name, _ in pairs), f"{scheme}: verdict {verdict} was looked at")
            low = min(pairs, key=lambda pair: pair[1])
            print(f"{scheme}, {sample}: {len(pairs)} pairs, the lowest contrast is {low[1]:.2f} of {low[0]}")
    check(len(grounds) == 2 and min(grounds) < 64 and max(grounds) > 192, f"light and dark differ: {grounds}")


# ---- pictures and print ---------------------------------------------------------------------------------------------

def take_screenshots(b):
    for sample in "plain", "hostile":
        for width in 1280, 400:
            for scheme in "light", "dark":
                b.open(sample, width, scheme)
                b.run("document.querySelectorAll('.c button').forEach((e, i) => i % 17 === 3 && i < 40 && e.click())")
                b.shot(f"{sample}-{width}-{scheme}", whole=True)
    b.open("empty", 1280)
    b.shot("empty-1280-light", whole=True)


def test_print(b):
    b.open("plain", 1000, media="print")
    hidden, height = b.run("return [!document.getElementById('filters').checkVisibility(),"
                           "getComputedStyle(document.querySelector('.tall')).maxHeight]")
    check(hidden and height == "none", "print: no filters, nothing is cut off")
    b.shot("plain-print", whole=True)


if __name__ == "__main__":
    sys.exit(run_tests("conform page", (test_widths, test_sticky, test_structure, test_without_script, test_tab_order,
                                        test_rows, test_filters, test_contrast, test_print)
                       + ((take_screenshots,) if SCREENSHOTS else ())))
