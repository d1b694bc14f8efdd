"""Writes reports of a month, of names as long as AWS lets them be, and of nothing, and looks at each in a real browser.

Usage: report.py HANDSOFF FOLDER. With screenshots and PDFs in FOLDER when SHOTS is set in the environment.
"""

import json
import os
import pathlib
import subprocess
import sys

from chromium import Chromium
from pages import ATTRIBUTES, ELEMENTS, HOSTILE, check, paper, quiet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import month  # noqa: E402

SECTIONS = [
    "Messages a day", "Stories and incidents", "Incidents by kind", "Incidents by person and role", "Timeline",
    "The noisiest rules", "Compared with another policy",
]

OTHER = month.FIRST_DAY + """
[[workload]]
identity = "arn:aws:iam::*:role/service-role/app-*"
may_write = ["logs:*", "ec2:*"]

[denials]
window = "5m"
count = 200
actions = 200
codes = ["AccessDenied"]
"""

# What is wider than its place; texts of a picture that are cut or lie on each other; what isn't seen of the page.
LOOK = """(() => {
  const all = [...document.querySelectorAll('*')];
  const box = it => it.getBoundingClientRect();
  const seen = it => box(it).height > 0;
  const name = it => it.textContent.slice(0, 60);
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const cut = [], on = [];
  let texts = 0;
  for (const svg of document.querySelectorAll('svg')) {
    const frame = box(svg);
    const parts = [...svg.querySelectorAll('text')].filter(seen);
    texts += parts.length;
    parts.forEach((it, n) => {
      const own = box(it);
      if (own.left < frame.left - 1 || own.right > frame.right + 1) cut.push(name(it));
      if (parts.slice(n + 1).some(other => !apart(own, box(other)))) on.push(name(it));
    });
  }
  return JSON.stringify({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    over: all.filter(it => it.matches('body *') && !it.closest('svg') && seen(it) && !it.matches('.scroll')
      && !it.closest('.scroll') && it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).display != 'inline')
      .map(it => it.outerHTML.slice(0, 90)),
    // Nothing of it is so wide that it has to be scrolled either.
    scrolls: [...document.querySelectorAll('.scroll')].filter(it => it.scrollWidth > it.clientWidth + 1).length,
    elements: [...new Set(all.map(it => it.localName))],
    attributes: [...new Set(all.flatMap(it => it.getAttributeNames().map(name => name.toLowerCase())))],
    sections: [...document.querySelectorAll('section')].filter(seen).map(it => it.querySelector('h2').textContent),
    hidden: [...document.querySelectorAll('td:not(:empty), li, p:not(:empty), pre, figure, rect')]
      .filter(it => !seen(it)).map(name),
    bars: document.querySelectorAll('svg.days rect').length,
    marks: document.querySelectorAll('svg.strip rect').length,
    rows: document.querySelectorAll('.incidents td.what').length,
    texts, cut, on,
    scheme: getComputedStyle(document.body).backgroundColor,
    text: document.body.textContent,
  });
})()"""


def long_names():
    """Records of callers, actions and resources that are as long as they may be, and of hostile ones."""
    account, most = month.ACCOUNT, 128
    names = ["r" * 64, "a-role-with-a-name-of-many-words-as-infrastructure-code-makes-them-1", *HOSTILE]
    for number, name in enumerate(names):
        session = (name + "x" * most)[:64]
        path = "/" + "p" * 200 + "/" if number == 0 else "/"
        arn = f"arn:aws:iam::{account}:role{path}{name}"
        identity = {
            "type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}", "accountId": account,
            "principalId": f"AROA{number}:{session}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": arn, "userName": name, "accountId": account},
                "sourceIdentity": session, "attributes": {"creationDate": "2026-03-02T00:00:00Z"}},
        }
        for call, action in enumerate(["CreateQueue", "UpdateService", "A" * most, name, "StopLogging"]):
            time = f"2026-03-0{call + 2}T02:0{number % 10}:00Z"
            yield {
                "eventVersion": "1.11", "userIdentity": identity, "eventTime": time,
                "eventSource": "cloudtrail.amazonaws.com" if action == "StopLogging" else "ecs.amazonaws.com",
                "eventName": action, "awsRegion": month.REGION, "sourceIPAddress": "192.0.2.1", "userAgent": "x" * 200,
                "requestParameters": {"name": "n" * 256}, "eventID": f"{number:08d}-0000-4000-8000-{call:012d}",
                "recipientAccountId": account, "readOnly": False,
            }


def look(browser, name):
    found = json.loads(browser.ask(LOOK))
    check(found["wide"] <= 0, f"{name}: {found['wide']} pixels wider than the window")
    check(not found["over"], f"{name}: runs over: {found['over'][:5]}")
    check(found["scrolls"] == 0, f"{name}: {found['scrolls']} tables have to be scrolled")
    check(not found["cut"], f"{name}: texts are cut: {found['cut'][:5]}")
    check(not found["on"], f"{name}: texts lie on each other: {found['on'][:5]}")
    return found


def screens(browser, page, name, out):
    took = quiet(browser, page, name)
    found = look(browser, f"{name} at 1280")
    strange = set(found["elements"]) - ELEMENTS - {"h3", "ol", "g"}
    check(not strange, f"{name}: elements {strange}")
    strange = set(found["attributes"]) - ATTRIBUTES - {"colspan"}
    check(not strange, f"{name}: attributes {strange}")
    check(found["sections"] == SECTIONS, f"{name}: sections {found['sections']}")
    if name != "nothing":
        least = {"bars": 3, "marks": 10, "rows": 5, "texts": 3}
        check(all(found[what] >= number for what, number in least.items()), f"{name}: is empty: {found}")
    colours = {}
    for scheme in ("light", "dark"):
        browser.media(scheme)
        colours[scheme] = json.loads(browser.ask(LOOK))["scheme"]
        if out:
            browser.screenshot(out / f"report-{name}-{scheme}.png", 5000)
    check(colours["light"] != colours["dark"], f"{name}: dark is as light: {colours}")
    browser.media()
    for width in (320, 390, 480, 600, 820, 828, 1000):
        browser.width(width)
        look(browser, f"{name} at {width}")
        if out and width == 390:
            browser.screenshot(out / f"report-{name}-phone.png", 6000)
    print(f"report {name}: loaded in {took:.2f} s, {found['rows']} incidents, {page.stat().st_size:,} bytes")
    return found


def printed(browser, name, out):
    # As wide as A4 is between the margins.
    browser.width(703)
    browser.media("dark", "print")
    found = look(browser, f"{name} on paper")
    check(found["sections"] == SECTIONS, f"{name}: on paper are {found['sections']}")
    check(not found["hidden"], f"{name}: not on paper: {found['hidden'][:5]}")
    check(found["scheme"] == "rgb(255, 255, 255)", f"{name}: paper is {found['scheme']}")
    if out:
        browser.screenshot(out / f"report-{name}-print.png", 5000)
    browser.width(1280)
    browser.media()
    paper(browser, f"report-{name}", out)


def main():
    handsoff, folder = sys.argv[1:]
    folder = pathlib.Path(folder).resolve()
    out = folder if os.environ.get("SHOTS") else None
    logs = folder / "logs"
    month.Month.of(1).write(logs / "month")
    (logs / "long").mkdir()
    (logs / "long" / "long.jsonl").write_text("\n".join(json.dumps(record) for record in long_names()))
    first, other = folder / "first.toml", folder / "other.toml"
    first.write_text(month.FIRST_DAY)
    other.write_text(OTHER)
    reports = {"month": [logs / "month"], "long": [logs / "long"], "nothing": [logs / "long", "--since", "2027-01-01"]}
    with Chromium() as browser:
        for name, args in reports.items():
            page = folder / f"report-{name}.html"
            command = [handsoff, "replay", *args, "--policy", first, "--compare", other, "--report", page]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            browser.width(1280)
            browser.media()
            found = screens(browser, page, name, out)
            if name == "long":
                for text in HOSTILE:
                    check(text in found["text"], f"{name}: {text} is not there as text")
            if name == "nothing":
                check("No message would have been sent" in found["text"], f"{name}: doesn't say so")
            printed(browser, name, out)
    print("all reports are as they should be")


if __name__ == "__main__":
    main()
