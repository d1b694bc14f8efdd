"""The detectors, as their folders say: nothing here lists them by name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Folders that have a part of the template, in the order that the parts say.
_PARTS = sorted(ROOT.glob("functions/*/part.yaml"), key=lambda part: re.search(r"(?m)^order: (\d+)", part.read_text())[1].zfill(9))
_FOLDERS = [part.parent for part in _PARTS]
_PAGES = {folder: (ROOT / "docs" / "findings" / f"{folder.name}.md").read_text() for folder in _FOLDERS}

# Their functions, and queues.
DETECTORS = tuple(f"handsoff-{folder.name}" for folder in _FOLDERS)

# What the names of a function's resources begin with, such as `BreakGlass`.
IDS = {name: "".join(word.capitalize() for word in name.split("-")[1:]) for name in DETECTORS}

# The rules that feed each function.
RULES = {
    name: {f"handsoff-{pattern.stem}" for pattern in folder.glob("patterns/*.json")}
    for name, folder in zip(DETECTORS, _FOLDERS, strict=True)
}

# The codes of each, in the order of its page.
CODES = {
    name: re.findall(r"(?m)^### `(.+)`$", _PAGES[folder]) for name, folder in zip(DETECTORS, _FOLDERS, strict=True)
}

# A sample of `events/` for each: the first of its first code.
SAMPLES = {name: min(ROOT.glob(f"events/{codes[0]}.*")).name for name, codes in CODES.items()}


def owner(finding: dict) -> str:
    """The function that a finding is of. Whatever a session does is reported by break-glass, attacks on logging too."""
    if finding["incident"].startswith("glass-"):
        return "handsoff-break-glass"
    (name,) = (name for name, codes in CODES.items() if finding["code"] in codes)
    return name
