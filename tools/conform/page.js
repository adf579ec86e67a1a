// Filters, and rows that open. Without this script the page shows everything, and <details> opens the rows.
"use strict";
(() => {
    const $ = (id) => document.getElementById(id);
    const table = $("classes"), FIXED = 4;
    const heads = [...table.tHead.rows[1].cells];
    document.documentElement.classList.add("js");

    // What each listed difference has to say, to be brought to where it is met.
    function bring(link) {
        const row = document.querySelector(link.getAttribute("href"));
        if (!row || link.nextSibling)
            return;
        const [reason, , source] = row.lastElementChild.cloneNode(true).childNodes;
        link.after(": ", reason, ". ", source);
    }

    const rows = [...table.querySelectorAll(".c")].map((row, i) => {
        const panel = row.nextElementSibling, head = row.cells[0], button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        panel.id = "details-" + i;
        // Narrow pages show these columns here only.
        const [, code, prefixes, strings] = [...row.cells].map((cell) => cell.textContent);
        const rest = document.createElement("p");
        rest.className = "narrow";
        rest.textContent = `${strings} strings in ${code}-bit code; prefixes: ${prefixes}.`;
        panel.querySelector("summary").after(rest);
        button.setAttribute("aria-controls", panel.id);
        const entry = {
            row, panel, button,
            axis: row.parentNode.dataset.a,
            modes: +row.dataset.m,
            // The rule's cell is the first: it is never filtered by.
            cells: [...row.cells].slice(FIXED).map((cell) => cell.classList),
            text: null,
            open(yes) {
                button.setAttribute("aria-expanded", yes);
                panel.hidden = !yes || row.hidden;
                panel.querySelector("details").open = true;
                if (yes)
                    panel.querySelectorAll("li a").forEach(bring);
            },
            isOpen: () => button.getAttribute("aria-expanded") === "true",
        };
        entry.open(false);
        return entry;
    });
    const of = new Map(rows.map((entry) => [entry.row, entry]));

    // ---- filters ----

    const differs = (c) => c.contains("s") || c.contains("u") || c.contains("e") || c.contains("a");

    function matches(entry, want) {
        const cells = want.column ? [entry.cells[want.column]] : entry.cells;
        if (want.axis && entry.axis !== want.axis || want.mode && !(entry.modes & want.mode))
            return false;
        if (want.silicon && !cells.some((c) => c.contains("s")) || want.unknown && !cells.some((c) => c.contains("u")))
            return false;
        if (want.column && !want.silicon && !want.unknown && !differs(cells[0]))
            return false;
        entry.text ??= (entry.row.textContent + " " + entry.panel.textContent).toLowerCase();
        return entry.text.includes(want.phrase);
    }

    function filter() {
        const want = {
            // One phrase, not words: "0f 18" is meant as it is written.
            phrase: $("f-text").value.trim().toLowerCase().replace(/\s+/g, " "),
            column: +$("f-column").value, axis: $("f-axis").value, mode: +$("f-mode").value,
            silicon: $("f-silicon").checked, unknown: $("f-unknown").checked,
        };
        let shown = 0;
        for (const entry of rows) {
            entry.row.hidden = !matches(entry, want);
            entry.panel.hidden = entry.row.hidden || !entry.isOpen();
            shown += !entry.row.hidden;
        }
        for (const body of table.tBodies)
            body.hidden = ![...body.querySelectorAll(".c")].some((row) => !row.hidden);
        $("none").hidden = shown > 0;
        $("f-shown").textContent = `${shown} of ${rows.length} classes shown`;
        heads.forEach((head, i) => head.toggleAttribute("data-on", i + 1 === want.column));
        name();
    }

    const visible = () => rows.filter((entry) => !entry.row.hidden);
    const allOpen = () => visible().every((entry) => entry.isOpen());
    function name() {
        $("f-open").textContent = visible().length && allOpen() ? "Close all rows" : "Open all rows";
    }

    const form = $("filters");
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    $("f-reset").addEventListener("click", () => {
        form.reset();
        filter();
    });
    $("f-open").addEventListener("click", () => {
        const yes = !allOpen();
        visible().forEach((entry) => entry.open(yes));
        name();
    });

    // ---- rows ----

    table.addEventListener("click", (event) => {
        const entry = of.get(event.target.closest(".c"));
        // Who selects text to copy it does not want the row to move.
        if (!entry || !getSelection().isCollapsed && !event.target.closest("button"))
            return;
        entry.open(!entry.isOpen());
        name();
    });
    table.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], seen = visible();
        const at = seen.findIndex((entry) => entry.button === event.target);
        if (!step || at < 0)
            return;
        seen[at + step]?.button.focus();
        event.preventDefault();
    });
    // A cell says in full what it shows, when somebody points at it.
    table.addEventListener("mouseover", (event) => {
        const cell = event.target.closest(".c > td"), i = cell ? cell.cellIndex - FIXED : -1;
        if (i < 0 || cell.title)
            return;
        const link = i && cell.classList.contains("e") && [...cell.parentNode.nextElementSibling.querySelectorAll("li")]
            .find((item) => item.firstChild.textContent === heads[i - 1].textContent)?.querySelector("a, code");
        cell.title = (i ? heads[i - 1].textContent : "the rule") + ": " + cell.querySelector("i").textContent +
            (link ? ", expected: " + link.textContent : "");
    });

    // A region that scrolls has to be reachable by keyboard; one that does not would only be a stop without a use.
    const regions = document.querySelectorAll(".scroll");
    const reach = () => regions.forEach((region) => {
        const scrolls = region.scrollWidth > region.clientWidth;
        region.toggleAttribute("tabindex", scrolls);
        if (scrolls)
            region.tabIndex = 0;
        region.role = scrolls ? "region" : null;
        region.ariaLabel = scrolls ? region.querySelector("caption").textContent : null;
    });
    addEventListener("resize", reach);
    reach();
    filter();
})();
