# SPDX-License-Identifier: MIT
"""Looks at the page of a campaign in Chromium, for page.sh."""
import sys

from browser import CONTRAST, DOWN, ENTER, SCREENSHOTS, TAB, check, run_tests

SAMPLES = "plain", "short", "hostile", "empty", "long", "clean", "bare"
OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


# ---- widths --------------------------------------------------------------------------------------------------------

def test_widths(b):
    def fits(what):
        page, window = b.run("return [document.documentElement.scrollWidth, innerWidth]")
        check(page <= window, f"{what}: the page is {page} wide")

    for sample in SAMPLES:
        for width in 1280, 400:
            b.open(sample, width)
            fits(f"{sample} at {width}")
            b.run(OPEN_ALL)
            fits(f"{sample} at {width}, all open")
        # Without script nothing remembers the width it was opened at.
        b.open(sample, 1280, script=False)
        fits(f"{sample} at 1280, without script")
        b.resize(400)
        fits(f"{sample} at 400, without script")
        b.run(OPEN_ALL)
        fits(f"{sample} at 400, without script, all open")
        b.resize(1280)
        fits(f"{sample} at 1280, without script, all open")


# ---- structure -----------------------------------------------------------------------------------------------------

STRUCTURE = """
    const bad = [], width = (row) => [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);
    for (const th of document.querySelectorAll("th"))
        if (!th.scope) bad.push("th without scope: " + th.textContent);
    for (const table of document.querySelectorAll("table")) {
        if (!table.caption && !table.closest(".explain")) bad.push("no caption: " + table.textContent.slice(0, 50));
        const spanned = table.id === "heat";
        for (const row of table.rows)
            if (!spanned && width(row) !== width(table.rows[0])) bad.push("a row of another width: " + row.textContent);
    }
    for (const link of document.querySelectorAll("a[href^='#']"))
        if (!document.querySelector(link.getAttribute("href"))) bad.push("leads nowhere: " + link.outerHTML);
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    if (new Set(ids).size !== ids.length) bad.push("an id stands twice");
    for (const section of document.querySelectorAll("section[aria-labelledby]"))
        if (!document.getElementById(section.getAttribute("aria-labelledby"))) bad.push("a section without its heading");
    for (const control of document.querySelectorAll("input, select, button"))
        if (!control.labels?.length && !control.textContent.trim()) bad.push("no name: " + control.outerHTML);
    for (const canvas of document.querySelectorAll("canvas"))
        if (canvas.getAttribute("role") !== "img" || !/at the end: \\w+ \\d/.test(canvas.getAttribute("aria-label")))
            bad.push("a picture without words: " + canvas.outerHTML);
    const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((h) => +h.tagName[1]);
    levels.forEach((level, i) => { if (i && level > levels[i - 1] + 2) bad.push("a heading of level " + level); });
    if (document.querySelector("img, iframe, object, link:not([rel=icon]), script[src], [onload], [onerror], [onclick], b > script"))
        bad.push("an element that is not ours");
    if (document.querySelectorAll("main b, main script").length > 500) bad.push("markup out of a text");
    return [bad, document.scripts.length, performance.getEntriesByType("resource").length]"""


def test_structure(b):
    for sample in SAMPLES:
        b.open(sample, 1280)
        problems, scripts, fetched = b.run(STRUCTURE)
        for problem in problems:
            check(False, f"{sample}: {problem}")
        check(not problems, f"{sample}: structure")
        check(scripts == (1 if sample == "bare" else 2), f"{sample}: {scripts} scripts")
        check(fetched == 0, f"{sample}: {fetched} resources are fetched")


def test_words(b):
    b.open("plain", 1280)
    text = b.run("return document.body.innerText")
    for want in ("2 findings are open", "1 critical, 1 high", "1 of them was fixed and is back. 7,556,850,000 events",
                 "decision/user-segv-maperr/signal:SEGV_MAPERR/handled", "no room for its map", "its time is over",
                 "unicorn 2.1.1"):
        check(want in text, f"plain says {want!r}")
    b.run(OPEN_ALL)
    check(b.run("return document.querySelectorAll('article.explain').length") == 4, "every finding is explained")
    b.open("clean", 1280)
    text = b.run("return document.body.innerText")
    check("Nothing is open after" in text and "Nothing was found." in text, "clean")
    b.open("empty", 1280)
    text = b.run("return document.body.innerText")
    for want in "Nothing was judged", "has not been started", "Nothing was sampled", "No fault was decided":
        check(want in text, f"empty says {want!r}")
    b.open("hostile", 1280)
    title = "document.querySelector('#finding-3 .title')"
    check("</script><script>alert(1)</script><img src=x onerror=alert(2)>" in b.run(f"return {title}.textContent"),
          "hostile: text stays text")
    check(b.run("return document.querySelectorAll('.finding').length") == 24, "hostile: all of them are there")
    b.open("short", 1280)
    rows = b.run("return [...document.querySelectorAll('#zoo-table tbody tr')].map((r) => [...r.cells].map((c) => c.innerText))")
    check([row[4] for row in rows] == ["2 of 2", "1 of 2", "0 of 2"], f"zoo: detected {rows}")
    check([row[5] for row in rows] == ["2.2", "172.8", "300.0"], f"zoo: restricted means {rows}")
    check("2 of 3 were detected" in b.run("return document.body.innerText"), "zoo: the sum")
    check(rows[2][0].startswith("020-<b>never</b>"), "zoo: text stays text")


# ---- charts --------------------------------------------------------------------------------------------------------

# Of each chart: its name, whether its data is what the table has, and how many pixels of each line's colour were drawn.
CHARTS = """
    return [...document.querySelectorAll(".chart")].map((figure) => {
        const canvas = figure.querySelector("canvas"), chart = Chart.getChart(canvas), table = figure.querySelector("table");
        const same = chart.data.datasets.every((set, i) => set.data.every((point, k) => {
            const text = table.tBodies[0].rows[k].cells[i + 1].textContent.trim();
            return point.y === (text === "-" ? null : +text.replaceAll(",", ""));
        })) && chart.data.datasets[0].data.length === table.tBodies[0].rows.length;
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const drawn = chart.data.datasets.map((set) => {
            const [r, g, b] = [1, 3, 5].map((i) => parseInt(set.borderColor.slice(i, i + 2), 16));
            let n = 0;
            for (let i = 0; i < pixels.length; i += 4)
                n += Math.abs(pixels[i] - r) + Math.abs(pixels[i + 1] - g) + Math.abs(pixels[i + 2] - b) < 24 && pixels[i + 3] > 200;
            return n;
        });
        return [figure.id, same, drawn, chart.data.datasets[0].data.length, chart.options.scales.x.type,
                canvas.getBoundingClientRect().width > 200 && canvas.checkVisibility()];
    })"""


def test_charts(b):
    for sample, axis in ("plain", "logarithmic"), ("short", "linear"), ("long", "logarithmic"), ("clean", "linear"):
        for scheme in "light", "dark":
            b.open(sample, 1280, scheme)
            charts = b.run(CHARTS)
            check(len(charts) == 7, f"{sample}: {len(charts)} charts")
            for name, same, drawn, rows, kind, seen in charts:
                check(same and seen, f"{sample}: {name} shows what its table has: {same}, {seen}")
                check(rows >= (10 if sample == "short" else 60) and rows <= 165, f"{sample}: {name} has {rows} rows")
                check(kind == axis, f"{sample}: {name} has a {kind} axis")
                check(len(drawn) == (1 if name in ("chart-disk", "chart-open") else 5), f"{sample}: {name}: {drawn}")
                # A line of another may lie on top.
                check(sum(n > 40 for n in drawn) >= max(len(drawn) - 1, 1), f"{sample}, {scheme}: {name}: pixels of lines {drawn}")


def test_axis(b):
    b.open("plain", 1280)
    kinds = "return [...document.querySelectorAll('canvas')].map((c) => Chart.getChart(c).options.scales.x.type)"
    check(set(b.run(kinds)) == {"logarithmic"}, "logarithmic at first")
    b.run("document.querySelector('#axis input:checked').focus()")
    b.press(DOWN)
    check(set(b.run(kinds)) == {"linear"}, "Down on the radio buttons: linear")
    check(b.run("return document.activeElement.value") == "linear", "the focus goes along")


def test_without(b):
    seen = """const seen = (s) => [...document.querySelectorAll(s)].filter((e) => e.checkVisibility()).length;
              return [seen(".chart table"), seen("canvas"), seen("#axis"), seen(".lines"), seen(".finding > summary")]"""
    b.open("plain", 1280, script=False)
    check(b.run(seen) == [7, 0, 0, 0, 4], f"without script: {b.run(seen)}")
    b.run("document.querySelector('.finding').open = true")
    check(b.run("return document.querySelector('.finding article').checkVisibility()"), "findings open without script")
    b.shot("plain-1280-without-script", whole=True)
    b.open("bare", 1280)
    check(b.run(seen) == [7, 0, 0, 0, 4], f"without Chart.js: {b.run(seen)}")
    check("libjs-chart.js" in b.run("return document.body.innerText"), "it says what is missing")
    check(b.run("return document.querySelectorAll('article').length") == 0, "--no-explain")
    check("vma 0x10000000" in b.run("return document.querySelector('.finding pre').textContent"), "but the scenario")


# ---- decisions -----------------------------------------------------------------------------------------------------

def test_decisions(b):
    b.open("plain", 1280)
    rows, columns, cells, total, said = b.run("""
        const heat = document.getElementById("heat"), cells = [...heat.querySelectorAll("td:not(.n)")];
        const exact = (cell) => +(cell.title || cell.textContent).replaceAll(",", "");
        return [heat.tBodies.length * 4, heat.tHead.rows[0].cells.length - 3, cells.length,
                cells.reduce((sum, cell) => sum + exact(cell), 0),
                +document.querySelector("#decisions ~ p").textContent.split(" ")[0].replaceAll(",", "")]""")
    check(rows == 16 * 4 and columns == 32 and cells == rows * columns, f"{rows} rows, {columns} columns, {cells} cells")
    check(total == said > 1000000, f"the cells add up to {total}, the text says {said}")
    shades = b.run("""const by = [...document.querySelectorAll("#heat td:not(.n)")].map((cell) =>
            [+(cell.title || cell.textContent).replaceAll(",", ""), +cell.className[1]]).sort((x, y) => x[0] - y[0]);
        return [by.every(([, shade], i) => !i || shade >= by[i - 1][1]), by[0], by.at(-1), new Set(by.map(([, s]) => s)).size]""")
    check(shades[0] and shades[1] == [0, 0] and shades[2][1] == 6 and shades[3] >= 6, f"more is darker: {shades}")
    name = b.run("return document.querySelector('#heat thead abbr[title=\"protection, write, user\"]').textContent")
    check(name == "7", f"error code {name}")


# ---- keyboard ------------------------------------------------------------------------------------------------------

def test_keyboard(b):
    for width in 1280, 400:
        b.open("plain", width)
        wanted = b.run("""
            const radios = document.querySelectorAll("#axis input").length;
            return [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
                .filter((e) => e.checkVisibility() && !e.disabled).length - (radios ? radios - 1 : 0)""")
        reached, outlined = 0, 0
        b.run("window.seen = new Set()")
        for _ in range(wanted + 3):
            b.press(TAB)
            fresh, outline = b.run("""
                const e = document.activeElement;
                if (e === document.body || window.seen.has(e)) return [false, true];
                window.seen.add(e);
                const box = e.getBoundingClientRect();
                return [true, getComputedStyle(e).outlineStyle !== "none" && box.bottom > 0 && box.top < innerHeight]""")
            if not fresh:
                break
            reached += 1
            outlined += outline
        check(reached == wanted > 15, f"at {width} Tab reaches {reached} of {wanted} controls")
        check(outlined == reached, f"at {width} the focus can be seen on {outlined} of {reached}")
    b.open("plain", 1280)
    b.run("document.querySelector('#buckets a').focus()")
    b.press(ENTER)
    opened, focus = b.run("""
        return new Promise((done) => setTimeout(() => {
            const finding = document.getElementById("finding-1");
            done([finding.open && finding.querySelector("article").checkVisibility(),
                  document.activeElement === finding.querySelector("summary")]);
        }, 100))""")
    check(opened and focus, f"a link to a finding opens it: {opened}, and goes there: {focus}")


# ---- colours -------------------------------------------------------------------------------------------------------

def test_contrast(b):
    grounds = set()
    for scheme in "light", "dark":
        for sample in "plain", "hostile", "empty":
            b.open(sample, 1280, scheme)
            b.run(OPEN_ALL)
            pairs, ground = b.run(CONTRAST)
            grounds.add(ground)
            for name, contrast in pairs:
                check(contrast >= 4.5, f"{scheme}, {sample}: contrast of {name} is {contrast:.2f}")
            if sample == "plain":
                for wanted in "h0", "h1", "h2", "h3", "h4", "h5", "h6":
                    check(any(name.startswith(f"TD.{wanted} ") for name, _ in pairs), f"{scheme}: {wanted} was looked at")
            low = min(pairs, key=lambda pair: pair[1])
            print(f"{scheme}, {sample}: {len(pairs)} pairs, the lowest contrast is {low[1]:.2f} of {low[0]}")
        lines = b.run("""const style = getComputedStyle(document.documentElement), light = (c) => [1, 3, 5]
                .map((i) => parseInt(c.slice(i, i + 2), 16) / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
            const of = (name) => light(style.getPropertyValue(name).trim()), ground = of("--ground");
            return ["--s0", "--s1", "--s2", "--s3", "--s4", "--s5"].map((s) => (Math.max(of(s), ground) + .05) / (Math.min(of(s), ground) + .05))""")
        check(min(lines) >= 3, f"{scheme}: lines of charts: {lines}")
    check(len(grounds) == 2 and min(grounds) < 64 and max(grounds) > 192, f"light and dark differ: {grounds}")


# ---- pictures and print ---------------------------------------------------------------------------------------------

def take_screenshots(b):
    for sample in "plain", "short":
        for width in 1280, 400:
            for scheme in "light", "dark":
                b.open(sample, width, scheme)
                b.run("document.querySelector('.finding').open = true")
                b.shot(f"{sample}-{width}-{scheme}", whole=True, most=8000)
    for sample in "hostile", "empty", "long":
        b.open(sample, 1280)
        b.shot(f"{sample}-1280-light", whole=True, most=8000)


def test_print(b):
    b.open("plain", 1000, media="print")
    hidden, canvas = b.run("return [!document.querySelector('nav').checkVisibility(),"
                           "document.querySelector('canvas').checkVisibility()]")
    check(hidden and canvas, "print: no navigation, but pictures")
    b.shot("plain-print", whole=True, most=8000)


if __name__ == "__main__":
    sys.exit(run_tests("report page", (test_widths, test_structure, test_words, test_charts, test_axis, test_without,
                                       test_decisions, test_keyboard, test_contrast, test_print)
                       + ((take_screenshots,) if SCREENSHOTS else ())))
