"""Exports sample cases as pages and looks at each in a real browser: nothing runs, nothing is fetched, all is text.

Usage: pages.py HANDSOFF SAMPLES FOLDER. With screenshots and PDFs in FOLDER when SHOTS is set in the environment.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from chromium import Chromium

# As cli/tests/sample/mod.rs has them; what a terminal would obey is made visible.
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'--></style><script>alert(3)</script>",
    '=HYPERLINK("http://example.com","x")',
    "\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{9b}31m",
    "\\u{202e}gnp.exe\\u{2066}",
    "</title><svg onload=alert(4)>",
    "{{7*7}} ${7*7} &lt;b&gt; javascript:alert(5)",
]

# What a page of a case may be made of.
ELEMENTS = set(
    "html head meta title style body div header section footer p h1 h2 b strong span br wbr code pre ul li dl dt dd "
    "table thead tbody tr th td figure figcaption svg rect line text".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name class role aria-label aria-hidden viewbox preserveaspectratio "
    "x y x1 x2 y1 y2 width height".split()
)

LOOK = """(() => {
  const elements = [...document.querySelectorAll('*')];
  const shown = document.querySelector('figure svg');
  const box = shown && shown.getBoundingClientRect();
  return JSON.stringify({
    elements: [...new Set(elements.map(it => it.localName))],
    attributes: [...new Set(elements.flatMap(it => it.getAttributeNames().map(name => name.toLowerCase())))],
    text: document.body.innerText,
    title: document.title,
    rows: document.querySelectorAll('table.all tbody tr').length,
    svg: box && {
      width: box.width, height: box.height,
      bars: shown.querySelectorAll('rect').length,
      text: shown.textContent,
      outside: [...shown.querySelectorAll('rect, text')].filter(it => {
        const {left, right, top, bottom} = it.getBoundingClientRect();
        return left < box.left - 1 || right > box.right + 1 || top < box.top - 1 || bottom > box.bottom + 1;
      }).length,
    },
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    scheme: getComputedStyle(document.body).backgroundColor,
  });
})()"""


# Cells whose text runs into the next one.
CRAMPED = "[...document.querySelectorAll('td, dd')].filter(it => it.scrollWidth > it.clientWidth + 1).length"


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def quiet(browser, page, name):
    """Opens a page that may run nothing, fetch nothing and complain about nothing; gives how long it took."""
    took = browser.open(page.as_uri())
    time.sleep(0.2)
    browser.ask("1")
    requests = [event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"]
    check(requests == [page.as_uri()], f"{name}: it asks for {requests}")
    noise = [event for event in browser.events if event["method"] in (
        "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening",
        "Page.frameAttached", "Page.frameRequestedNavigation", "Page.windowOpen", "Page.downloadWillBegin")]
    check(not noise, f"{name}: the browser complains: {noise[:3]}")
    return took


def look(browser, page, name, out):
    took = quiet(browser, page, name)
    found = json.loads(browser.ask(LOOK))
    # `title` is also what a bar is called when the pointer rests on it.
    check(set(found["elements"]) <= ELEMENTS, f"{name}: elements {set(found['elements']) - ELEMENTS}")
    check(set(found["attributes"]) <= ATTRIBUTES, f"{name}: attributes {set(found['attributes']) - ATTRIBUTES}")
    svg = found["svg"]
    words = svg.pop("text") if svg else ""
    check(svg and svg["width"] > 600 and 200 < svg["height"] < 700, f"{name}: the picture is {svg}")
    check(svg["bars"] >= 1 and svg["outside"] == 0, f"{name}: the picture's parts: {svg}")
    check("UTC" in words and "2026-03-14" in words, f"{name}: the axis has no times")
    check(found["wide"] <= 0, f"{name}: {found['wide']} pixels wider than the window")
    print(f"{name}: loaded in {took:.2f} s, {found['rows']} rows, {page.stat().st_size:,} bytes")
    return found


def schemes(browser, name, out):
    paper = {}
    for scheme in ("light", "dark"):
        browser.media(scheme)
        check(browser.ask(CRAMPED) == 0, f"{name}: {browser.ask(CRAMPED)} cells run over")
        paper[scheme] = json.loads(browser.ask(LOOK))["scheme"]
        if out:
            browser.screenshot(out / f"{name}-{scheme}.png", 9000)
    check(paper["light"] != paper["dark"], f"{name}: dark is as light: {paper}")
    browser.media("dark", "print")
    ink = browser.ask("getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor")
    # As wide as A4 is between the margins.
    browser.width(703)
    check(browser.ask(CRAMPED) == 0, f"{name}: {browser.ask(CRAMPED)} cells run over on paper")
    check(ink == "rgb(0, 0, 0)rgb(255, 255, 255)", f"{name}: paper is {ink}")
    if out:
        browser.screenshot(out / f"{name}-print.png", 9000)
    browser.width(1280)
    browser.media()


# What scrolls sideways, and whether the line above says so; what is wider than its place without scrolling.
SCROLLS = """(() => {
  const seen = it => it.getBoundingClientRect().height > 0;
  const boxes = [...document.querySelectorAll('.scroll')];
  const wide = boxes.filter(it => it.scrollWidth > it.clientWidth + 1);
  return JSON.stringify({
    boxes: boxes.length,
    wide: wide.length,
    unsaid: wide.filter(it => !seen(it.previousElementSibling)).length,
    said: [...document.querySelectorAll('.hint')].filter(seen).length,
    over: [...document.querySelectorAll('header, section, h1, h2, p, dl, li, pre')]
      .filter(it => !it.closest('.scroll') && it.scrollWidth > it.clientWidth + 1).map(it => it.outerHTML.slice(0, 80)),
  });
})()"""


def phone(browser, name, out):
    browser.width(390)
    found = json.loads(browser.ask(LOOK))
    check(found["wide"] <= 0, f"{name}: {found['wide']} pixels wider than a phone")
    scrolls = json.loads(browser.ask(SCROLLS))
    check(scrolls["wide"] >= 3, f"{name}: nothing is wider than a phone: {scrolls}")
    check(scrolls["unsaid"] == 0, f"{name}: what scrolls doesn't say so: {scrolls}")
    check(not scrolls["over"], f"{name}: runs over on a phone: {scrolls['over'][:5]}")
    if out:
        browser.screenshot(out / f"{name}-phone.png", 4000)
    # A tablet, and either side of the width from which on nothing has to scroll.
    for width in (600, 820, 827, 828, 829, 835, 1280):
        browser.width(width)
        scrolls = json.loads(browser.ask(SCROLLS))
        check(scrolls["boxes"] >= 5 and scrolls["unsaid"] == 0, f"{name}: at {width} {scrolls}")
        check(scrolls["wide"] > 0 or scrolls["said"] == 0 or width in (827, 828), f"{name}: says that it scrolls at {width}: {scrolls}")
        check(not scrolls["over"], f"{name}: runs over at {width}: {scrolls['over'][:5]}")


def paper(browser, name, out):
    start = time.monotonic()
    pdf = browser.pdf()
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    check(pdf.startswith(b"%PDF") and pages >= 1, f"{name}: it prints {pages} pages")
    if out:
        (out / f"{name}.pdf").write_bytes(pdf)
    print(f"{name}: {pages} pages printed in {time.monotonic() - start:.1f} s")


def main():
    handsoff, samples, folder = sys.argv[1:]
    folder = pathlib.Path(folder).resolve()
    out = folder if os.environ.get("SHOTS") else None
    subprocess.run([samples, folder / "cases"], check=True, stdout=subprocess.DEVNULL)
    # As long as handsoff makes them.
    names = {
        "normal": "glass-5f0c1d2e3a4b6c7d8e9f0a1b", "hostile": "glass-bad000000000bad000000000",
        "long": f"glass-{50_000:024x}", "printed": f"glass-{5_000:024x}", "drill": "glass-d0000000d111d0000000d111",
    }
    pages = {}
    for name, case in names.items():
        pages[name] = folder / f"{name}.html"
        case = folder / "cases" / case
        subprocess.run([handsoff, "case", "export", case, "--format", "html", "--output", pages[name]], check=True)
    altered = folder / "cases" / names["normal"] / "calls-000001.jsonl"
    altered.write_text(altered.read_text().replace("rds:RebootDBInstance", "rds:DescribeDBInstances"))
    pages["altered"] = folder / "altered.html"
    subprocess.run(
        [handsoff, "case", "export", altered.parent, "--format", "html", "--unverified", "--output", pages["altered"]],
        check=True, stderr=subprocess.DEVNULL)

    with Chromium() as browser:
        browser.width(1280)
        for name, page in pages.items():
            found = look(browser, page, name, out)
            if name == "hostile":
                for text in HOSTILE:
                    check(text in found["text"], f"{name}: {text} is not there as text")
            check(("Altered: do not rely" in found["text"]) == (name == "altered"), f"{name}: the banner")
            if name == "long":
                check(found["rows"] == 50_000, f"{name}: {found['rows']} rows")
                check(browser.ask("document.body.textContent.includes('object-49999')"), f"{name}: the last call can't be found")
                if out:
                    browser.screenshot(out / "long-light.png", 5000)
                # Thousands of pages, which take minutes: the one beside it is printed.
                continue
            if name != "printed":
                schemes(browser, name, out)
                phone(browser, name, out)
            paper(browser, name, out)
    print("all pages are as they should be")


if __name__ == "__main__":
    main()
