// Draws each chart from its table with Chart.js. Without this script, or without that, the tables are what there is.
"use strict";
(() => {
    const charts = [];

    // A region that scrolls has to be reachable by keyboard; one that does not would only be a stop without a use.
    const regions = document.querySelectorAll(".scroll");
    const reach = () => regions.forEach((region) => {
        const scrolls = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight;
        if (scrolls)
            region.tabIndex = 0;
        else
            region.removeAttribute("tabindex");
        region.role = scrolls ? "region" : null;
        region.ariaLabel = scrolls ? region.querySelector("caption")?.textContent ?? "Table" : null;
    });
    addEventListener("resize", reach);
    document.addEventListener("toggle", reach, true);

    // A link to a finding opens it.
    const open = () => {
        const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
        const finding = target && target.closest(".finding");
        if (!finding)
            return;
        finding.open = true;
        finding.querySelector("summary").focus();
        finding.scrollIntoView();
    };
    addEventListener("hashchange", open);
    document.addEventListener("click", (event) => {
        if (event.target.closest?.("a[href^='#finding-']"))
            setTimeout(open);
    });

    function span(seconds) {
        const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
        if (s >= 86400)
            return `${Math.floor(s / 86400)}d ${two(Math.floor(s / 3600) % 24)}h`;
        return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
            : `${Math.floor(s / 60)}:${two(s % 60)}`;
    }
    const brief = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

    // Steps of time that people count in.
    const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000,
        1728000, 2592000, 7776000];
    const LOG = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 259200, 864000, 2592000, 7776000];

    function timeAxis(kind, most) {
        const step = NICE.find((s) => most / s <= 7) ?? NICE.at(-1);
        const ticks = kind === "linear" ? [...Array(Math.floor(most / step) + 1).keys()].map((i) => i * step)
            : LOG.filter((t) => t <= most);
        return {
            type: kind, min: kind === "linear" ? 0 : 1, max: Math.max(most, 2),
            afterBuildTicks: (axis) => { axis.ticks = ticks.map((value) => ({ value })); },
            ticks: { callback: span, maxRotation: 0, autoSkip: true, autoSkipPadding: 12 },
        };
    }

    /* The targets, and the campaign as a whole. */
    const DASH = [[], [6, 4], [2, 3], [10, 3, 2, 3], [2, 4], []];
    function draw(figure, kind) {
        const table = figure.querySelector("table"), style = getComputedStyle(document.documentElement);
        const colour = (name) => style.getPropertyValue(name).trim();
        const value = (cell) => cell.textContent.trim() === "-" ? null : Number(cell.textContent.replaceAll(",", ""));
        const rows = [...table.tBodies[0].rows], times = rows.map((row) => +row.cells[0].dataset.t);
        const grid = { color: colour("--grid") }, soft = colour("--soft");
        const datasets = [...table.tHead.rows[0].cells].slice(1).map((head, i) => ({
            label: head.textContent,
            data: rows.map((row, k) => ({ x: Math.max(times[k], kind === "linear" ? 0 : 1), y: value(row.cells[i + 1]) })),
            borderColor: colour("--s" + head.dataset.s), backgroundColor: colour("--s" + head.dataset.s),
            borderDash: DASH[head.dataset.s], borderWidth: 2, pointRadius: rows.length < 3 ? 3 : 0, pointHitRadius: 8,
            stepped: "stepped" in figure.dataset, spanGaps: true,
        }));
        const x = timeAxis(kind, times.at(-1));
        return new Chart(figure.querySelector("canvas"), {
            type: "line",
            data: { datasets },
            options: {
                animation: false, maintainAspectRatio: false, responsive: true,
                interaction: { mode: "index", intersect: false, axis: "x" },
                scales: {
                    x: { ...x, grid, ticks: { ...x.ticks, color: soft } },
                    y: {
                        beginAtZero: true, grid, title: { display: true, text: figure.dataset.unit, color: soft },
                        ticks: { color: soft, precision: 0, callback: (v) => Number.isInteger(v) || v > 10 ? brief.format(v) : "" },
                    },
                },
                plugins: {
                    legend: { display: false },
                    tooltip: { callbacks: { title: (items) => span(items[0].parsed.x) } },
                },
            },
        });
    }

    function drawAll() {
        const kind = document.querySelector("#axis input:checked").value;
        charts.splice(0).forEach((chart) => chart.destroy());
        document.querySelectorAll(".chart").forEach((figure) => charts.push(draw(figure, kind)));
    }

    const form = document.getElementById("axis");
    if (form && typeof Chart === "function") {
        document.documentElement.classList.add("js");
        document.querySelectorAll(".chart details").forEach((details) => { details.open = false; });
        // Most of what happens happens early: after some minutes only a logarithmic axis shows it.
        const last = Math.max(...[...document.querySelectorAll(".chart [data-t]")].map((cell) => +cell.dataset.t));
        form.querySelector(`[value=${last > 600 ? "logarithmic" : "linear"}]`).checked = true;
        form.hidden = false;
        form.addEventListener("change", drawAll);
        form.addEventListener("submit", (event) => event.preventDefault());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
        addEventListener("beforeprint", () => charts.forEach((chart) => chart.resize()));
        drawAll();
    }
    open();
    reach();
})();
