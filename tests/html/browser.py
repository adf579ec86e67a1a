# SPDX-License-Identifier: MIT
"""Drives Chromium over chromedriver's HTTP interface, for tests that look at pages; only what Python brings.

A test is started by driver.sh: SCRIPT PORT PROFILE FOLDER, where FOLDER holds the pages. With FAULTLINE_SCREENSHOTS
set, screenshots go there too: they are for people, no check looks at them, and they cost as much as the rest.
"""
import base64
import json
import os
import pathlib
import sys
import urllib.error
import urllib.request

PORT, PROFILE, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--user-data-dir=" + PROFILE]
SCREENSHOTS = os.environ.get("FAULTLINE_SCREENSHOTS", "") not in ("", "0")
TAB, ENTER, DOWN, SPACE = "\ue004", "\ue007", "\ue015", " "

checks = failures = 0


def check(good, what):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print("FAILED:", what, file=sys.stderr)


def call(method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
    # No proxy: the driver is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.read().decode()[:2000]}")


class Browser:
    def __init__(self):
        options = {"args": ARGUMENTS}
        logs = {"goog:loggingPrefs": {"browser": "ALL"}}
        self.session = "/session/" + call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, **logs}}})["sessionId"]
        self.at = None

    def post(self, path, **body):
        return call("POST", self.session + path, body)

    def devtools(self, command, **params):
        return self.post("/goog/cdp/execute", cmd=command, params=params)

    def run(self, script, *args):
        return self.post("/execute/sync", script=script, args=list(args))

    def press(self, *keys):
        actions = [step for key in keys for step in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def point(self, x, y):
        self.post("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "x": x, "y": y, "duration": 0}]}])

    def resize(self, width):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                      mobile=False)

    def open(self, sample, width, scheme="light", script=True, media=""):
        self.devtools("Emulation.setScriptExecutionDisabled", value=not script)
        self.resize(width)
        self.devtools("Emulation.setEmulatedMedia", media=media,
                      features=[{"name": "prefers-color-scheme", "value": scheme}])
        # about:blank in between: the same address would keep the place it was scrolled to.
        if self.at == sample:
            self.post("/url", url="about:blank")
        self.at = sample
        self.post("/url", url=(FOLDER / f"{sample}.html").as_uri())

    def shot(self, name, whole=False, most=4000):
        if not SCREENSHOTS:
            return
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1},
                "captureBeyondViewport": True} if whole else {}
        data = self.devtools("Page.captureScreenshot", format="png", **clip)["data"]
        (FOLDER / f"{name}.png").write_bytes(base64.b64decode(data))


# The lowest contrast of each kind of text and its ground, and the first colour value of the page's ground.
CONTRAST = """
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const ground = (e) => {
        for (; e; e = e.parentElement) {
            const c = rgba(getComputedStyle(e).backgroundColor);
            if (c[3] === 255) return c;
        }
        return null;
    };
    const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const contrast = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
    const worst = new Map();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode());) {
        const e = node.parentElement;
        if (!node.data.trim() || !e.checkVisibility() || e.closest("script")) continue;
        const name = (e.closest("td, th, .key, .verdict, button, a, small, code") ?? e), style = getComputedStyle(e);
        const key = name.tagName + "." + name.className + " " + style.color;
        const c = contrast(rgba(style.color), ground(e));
        if (!worst.has(key) || worst.get(key) > c) worst.set(key, c);
    }
    return [[...worst], rgba(getComputedStyle(document.body).backgroundColor)[0]]"""


def run_tests(name, tests):
    """Each with the same browser; an exit code."""
    browser = Browser()
    try:
        for test in tests:
            before = failures
            test(browser)
            print(f"{test.__name__}: {'ok' if failures == before else 'FAILED'}")
        errors = [entry["message"] for entry in browser.post("/se/log", type="browser")
                  if entry["level"] in ("SEVERE", "WARNING")]
        check(not errors, f"the browser complains: {errors}")
    finally:
        # Else the browser would outlive the driver.
        call("DELETE", browser.session)
    print(f"{name}: {checks} comparisons, {failures} failures")
    return failures != 0 or checks == 0
