#!/usr/bin/env python3
"""Compares what handsoff knows of AWS's API with botocore's models, and fails when it has gone stale.

    VENV/bin/python tools/freshness.py

An operation is known when the table of access levels or the table of rights and ways in has it, under any of the
names that CloudTrail and IAM have for its service. Of the others the verb decides, if `action.rs` has the verb, else
`readOnly`. Two things fail:

- an operation of a SENSITIVE service that no table has: what it does is for somebody to say. Add it to ALIASES in
  tools/access-levels.py, and to classes.txt or attacks.txt if it gives or takes what those list;
- more operations than UNKNOWN that neither a table nor a verb knows. The number may only fall: when it does, write
  the lower one here.

To move to a newer botocore: change the version in tests/stack/requirements.txt, run, and do what it asks for.
"""

import gzip
import importlib.metadata
import importlib.resources
import json
import pathlib
import re
import sys

SENSITIVE = (
    "iam sts signin organizations cloudtrail events eventsv2 kms lambda ssm sso guardduty securityhub config s3"
).split()

# What neither a table nor a verb knows, with the botocore of tests/stack/requirements.txt.
UNKNOWN = 125

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLOUDTRAIL = ROOT / "shared" / "cloudtrail"


def known():
    """The operations of the tables, in lower case."""
    keys = set()
    for name in ["access-levels.txt", "classes.txt"]:
        for line in (CLOUDTRAIL / "data" / name).read_text().splitlines():
            if not line.startswith("#"):
                keys.add(line.split(" ")[0].lower())
    return keys


def list_of(name, text):
    """The texts of a Rust constant that is a list."""
    found = re.search(rf"const {name}: [^=]*=\s*&\[(.*?)\n?\];", text, re.S)
    if not found:
        sys.exit(f"error: there is no list {name} where tools/freshness.py looks for it")
    return re.findall(r'"([^"]+)"', found[1])


def models():
    """The newest model of each of botocore's services."""
    data = pathlib.Path(str(importlib.resources.files("botocore"))) / "data"
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        newest = max(folder.glob("*/service-2.json*"), default=None, key=lambda path: path.parent.name)
        if newest:
            text = gzip.decompress(newest.read_bytes()) if newest.suffix == ".gz" else newest.read_bytes()
            yield folder.name, json.loads(text)


def main():
    tables = known()
    action = (CLOUDTRAIL / "src" / "action.rs").read_text()
    verbs = re.compile(f"(?:{'|'.join(list_of('READING', action) + list_of('WRITING', action))})(?![a-z])")
    sources = list_of("SOURCES", (CLOUDTRAIL / "src" / "access.rs").read_text())
    prefixes = dict(zip(sources[::2], sources[1::2]))

    total, in_no_table, unknown, missing = 0, 0, [], []
    for folder, model in models():
        meta = model["metadata"]
        names = {folder, meta.get("signingName"), meta["endpointPrefix"]} - {None}
        names |= {prefixes[name.lower()] for name in names if name.lower() in prefixes}
        for operation in model["operations"]:
            total += 1
            if any(f"{name}:{operation}".lower() in tables for name in names):
                continue
            in_no_table += 1
            if names & set(SENSITIVE):
                missing.append(f"{folder}:{operation}")
            if not verbs.match(operation):
                unknown.append(f"{folder}:{operation}")

    version = importlib.metadata.version("botocore")
    print(
        f"botocore {version}: {total} operations, {in_no_table} in no table; "
        f"{len(unknown)} of these with no verb that is known (at most {UNKNOWN})"
    )
    if total < 15_000:
        sys.exit("error: these are too few operations to be botocore's models")
    for name in missing:
        print(f"error: {name} is in no table, and its service is a sensitive one", file=sys.stderr)
    if len(unknown) > UNKNOWN:
        print("\n".join(unknown), file=sys.stderr)
        print("error: more operations than before that neither a table nor a verb knows", file=sys.stderr)
    if len(unknown) < UNKNOWN:
        print(f"error: there are fewer now: write {len(unknown)} for UNKNOWN", file=sys.stderr)
    return 1 if missing or len(unknown) != UNKNOWN else 0


if __name__ == "__main__":
    sys.exit(main())
