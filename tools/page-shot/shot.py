#!/usr/bin/env python3
"""Opens a page in headless Chromium, takes a screenshot and reports layout, contrast and focus problems.

usage: shot.py URL [--width 360] [--scheme dark] [--out page.png] [--height 0] [--forced-colors]

Prints a JSON object: the width of the content, texts with too little contrast, console messages, loaded resources,
names in the accessibility tree, headings, and the focus order. Needs python3 and Debian's chromium.
"""
import argparse
import base64
import json
import os
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--width", type=int, default=1280)
parser.add_argument("--height", type=int, default=0, help="of the picture; 0: the whole page")
parser.add_argument("--scheme", default="light", choices=["light", "dark"])
parser.add_argument("--forced-colors", action="store_true")
parser.add_argument("--scale", type=float, default=1)
parser.add_argument("--tabs", type=int, default=12, help="how often Tab is pressed")
parser.add_argument("--out", help="where the picture goes")
options = parser.parse_args()

# Scripts that are evaluated in the page, which contains no scripts.
OVERFLOW = """(() => {
  const wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll('body *')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && box.right > wide + 0.5 && !e.closest('.skip');
  });
  return { content: document.documentElement.scrollWidth, view: wide,
           beyond: out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120)) };
})()"""
CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const rgb = parse(getComputedStyle(e).backgroundColor);
      if (rgb.length < 4 || rgb[3] > 0.99) return rgb;
    }
    return [255, 255, 255];
  };
  const found = new Map();
  let least = 21;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    if (!node.data.trim() || !node.parentElement.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node.parentElement).color)), light(ground(node.parentElement))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    least = Math.min(least, ratio);
    if (ratio < 4.5) found.set(node.data.slice(0, 40), ratio);
  }
  return { least, found: [...found].slice(0, 10) };
})()"""
FOCUS = """(() => {
  const e = document.activeElement;
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.width > 0;
  return { tag: e.tagName, text: e.textContent.slice(0, 40), seen };
})()"""
HEADINGS = "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((e) => [Number(e.tagName[1]), e.textContent])"
LOADED = "performance.getEntriesByType('resource').map((e) => e.name)"


class Browser:
    """Chromium, controlled through a pipe."""

    def __init__(self, profile):
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()

        def wire():
            # Chromium reads from 3 and writes to 4.
            os.dup2(to_read, 63)
            os.dup2(to_write, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        arguments = ["chromium", "--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--hide-scrollbars", f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        self.process = subprocess.Popen(arguments, preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.count = 0
        self.rest = b""
        self.session = None
        self.events = []

    def receive(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            if not more:
                raise SystemExit("chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event):
        while not any(known.get("method") == event for known in self.events):
            self.events.append(self.receive())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")


def names(nodes):
    """Returns the roles and names that a screen reader announces, in order."""
    value = lambda node, key: node.get(key, {}).get("value", "")
    return [[value(node, "role"), value(node, "name")] for node in nodes
            if not node.get("ignored") and value(node, "role") not in ("InlineTextBox", "StaticText", "none")]


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(profile)
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            browser.call(f"{domain}.enable")
        features = [{"name": "prefers-color-scheme", "value": options.scheme}]
        if options.forced_colors:
            features.append({"name": "forced-colors", "value": "active"})
        browser.call("Emulation.setEmulatedMedia", features=features)
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        size = {"width": options.width, "deviceScaleFactor": options.scale, "mobile": options.width < 600}
        browser.call("Emulation.setDeviceMetricsOverride", height=800, **size)
        browser.events.clear()
        browser.call("Page.navigate", url=options.url)
        browser.wait_for("Page.loadEventFired")

        report = {"overflow": browser.evaluate(OVERFLOW), "contrast": browser.evaluate(CONTRAST),
                  "headings": browser.evaluate(HEADINGS), "loaded": browser.evaluate(LOADED),
                  "accessible": names(browser.call("Accessibility.getFullAXTree")["nodes"])}
        if options.out:
            height = options.height or browser.evaluate("document.documentElement.scrollHeight")
            browser.call("Emulation.setDeviceMetricsOverride", height=min(int(height), 16000), **size)
            picture = browser.call("Page.captureScreenshot", format="png")["data"]
            with open(options.out, "wb") as file:
                file.write(base64.b64decode(picture))
        report["focus"] = []
        for _ in range(options.tabs):
            for kind in ("rawKeyDown", "keyUp"):
                browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            report["focus"].append(browser.evaluate(FOCUS))
        said = [event["params"] for event in browser.events
                if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")]
        report["console"] = [entry.get("entry", {}).get("text", str(entry)) for entry in said]
        report["requests"] = [event["params"]["request"]["url"] for event in browser.events
                              if event.get("method") == "Network.requestWillBeSent"]
        print(json.dumps(report))
    finally:
        browser.process.kill()
        browser.process.wait()
