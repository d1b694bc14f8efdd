#!/usr/bin/env python3
"""Measures `handsoff replay` against what any reader of the same log files has to do.

    python3 bench/run.py                        # a million records, five runs
    python3 bench/run.py --keep ~/logs          # keep the logs there, and use them again
    python3 bench/run.py --growth --shares      # also memory by size, and where the time goes

Builds the release binaries, generates log files from a seed, reads them once so that they are in
the page cache, and runs in turn: `zcat`, the yardstick inflating, the yardstick inflating and
parsing, the replay; then all of them again. Ratios are taken within a turn, so that a machine
that is slow for a while is slow for both sides. Standard library only; Linux only.
"""

import argparse
import ctypes
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPLOY_ROLE = "arn:aws:iam::*:role/deploy-pipeline"
SEED = 1
#: What the replay is compared to, and at most how many times as long it should take.
TARGETS = {"parse": 1.3, "zcat": 0.4, "inflate": None}
PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """Something that was needed did not work."""


@dataclass
class Usage:
    """What one command took."""

    wall: float
    cpu: float
    rss: float
    out: str
    err: str


@dataclass
class Logs:
    """Log files to read."""

    path: Path
    records: int
    summary: str
    files: list


def adopt_orphans():
    """Makes this process the parent of children whose own parent has ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not sys.platform.startswith("linux") or libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise Failed("this needs Linux: peak memory is measured with a child subreaper")


def run(argv, keep_out=False):
    """Runs a command and returns what it took.

    The kernel counts what a process was before `exec` towards its peak memory. A child of Python
    would never show less than Python's ten megabytes, so a shell starts the command, names it and
    ends; the command becomes our own child then.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.NamedTemporaryFile() as note:
        script = 'note=$1; shift; "$@" & echo $! > "$note"'
        start = time.perf_counter()
        subprocess.run(
            ["/bin/sh", "-c", script, "sh", note.name, *map(str, argv)],
            stdout=out if keep_out else subprocess.DEVNULL, stderr=err, check=True,
        )
        pid = int(note.read())
        try:
            _, status, used = os.wait4(pid, 0)
        except KeyboardInterrupt:
            os.kill(pid, signal.SIGTERM)
            raise
        wall = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        printed, said = out.read().decode(), err.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        tail = "\n".join(said.strip().splitlines()[-5:])
        raise Failed(f"`{' '.join(map(str, argv[:6]))} …` ended with {code}\n{tail}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, printed, said)


def build():
    """Builds the release binaries and says where they are."""
    command = ["cargo", "build", "--release", "-p", "handsoff", "-p", "handsoff-bench"]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Failed(f"`{' '.join(command)}` failed")
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release"


def logs(binaries, home, records):
    """Generates log files under `home`, unless they are there already, and reads them once."""
    path = home / f"logs-{records}-seed-{SEED}"
    done = path.with_suffix(".summary")
    if not done.exists():
        if path.exists():
            raise Failed(f"`{path}` is there but not complete: remove it")
        argv = [binaries / "handsoff-generate", "--records", records, "--seed", SEED, "--out", path]
        done.write_text(run(argv, keep_out=True).out)
    files = sorted(path.glob("AWSLogs/**/*.json.gz"))
    for file in files:
        file.read_bytes()
    return Logs(path, records, done.read_text().strip(), files)


def replay(binaries, logs, *more):
    """The command that is measured."""
    return [binaries / "handsoff", "replay", logs.path, "--deploy-role", DEPLOY_ROLE, *more]


def compare(binaries, logs, runs):
    """Runs all four commands in turn, `runs` times."""
    listing = logs.path.with_suffix(".list")
    listing.write_bytes(b"\0".join(os.fsencode(file) for file in logs.files))
    baseline = [binaries / "handsoff-baseline", logs.path, "--mode"]
    commands = {
        "zcat": ["/bin/sh", "-c", 'xargs -0 zcat < "$1"', "sh", listing],
        "inflate": [*baseline, "inflate"],
        "parse": [*baseline, "parse"],
        "replay": replay(binaries, logs),
    }
    turns = []
    for number in range(runs):
        turn = {}
        for name, argv in commands.items():
            progress(f"run {number + 1} of {runs}: {name}")
            turn[name] = run(argv, keep_out=name == "parse")
        turns.append(turn)
    counted = json.loads(turns[0]["parse"].out)
    if counted["records"] != logs.records:
        raise Failed(f"`{logs.path}` holds {counted['records']} records, not {logs.records}")
    return turns, counted["raw_bytes"]


def progress(text):
    """A line for whoever waits; nothing in a file."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def spread(values, digits):
    """`min / median / max`."""
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))


def machine():
    """What this ran on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = names[0].split(":", 1)[1].strip() if names else os.uname().machine
    return f"{name}, {len(os.sched_getaffinity(0))} cores, Linux {os.uname().release}"


def print_comparison(logs, turns, raw):
    progress("")
    print(f"{logs.summary}; {len(turns)} runs in turn, warm page cache, min / median / max.")
    print(f"{machine()}.\n")
    print("| command | wall, s | CPU, s | peak memory, MiB |")
    print("|---|---|---|---|")
    titles = {"zcat": "`zcat`", "inflate": "inflate", "parse": "inflate and parse", "replay": "`handsoff replay`"}
    for name, title in titles.items():
        used = [turn[name] for turn in turns]
        wall, cpu = spread([u.wall for u in used], 3), spread([u.cpu for u in used], 2)
        print(f"| {title} | {wall} | {cpu} | {spread([u.rss for u in used], 1)} |")
    print("\n| ratio, run by run | min / median / max | target | |")
    print("|---|---|---|---|")
    for name, target in TARGETS.items():
        ratios = [turn["replay"].wall / turn[name].wall for turn in turns]
        kept = statistics.median(ratios) <= target if target else None
        verdict = {True: "met", False: "**missed**", None: ""}[kept]
        print(f"| replay / {name} | {spread(ratios, 2)} | {f'≤ {target}' if target else ''} | {verdict} |")
    wall = statistics.median(turn["replay"].wall for turn in turns)
    print(f"\nReplay: {logs.records / wall:,.0f} records/s, {raw / wall / 1e6:,.0f} MB/s of JSON.")


def print_growth(binaries, home, records):
    """Peak memory of the replay by the number of records."""
    lines = []
    for count in (records // 4, records // 2, records, records * 2):
        progress(f"growth: {count} records")
        used = run(replay(binaries, logs(binaries, home, count)))
        lines.append(f"| {count:,} | {used.wall:.2f} | {used.rss:.1f} |")
    progress("")
    print("\n| records | wall, s | peak memory of the replay, MiB |")
    print("|---|---|---|")
    print("\n".join(lines))


def print_shares(binaries, logs, runs):
    """Where the replay's CPU time goes."""
    taken = []
    for number in range(runs):
        progress(f"shares: run {number + 1} of {runs}")
        said = run(replay(binaries, logs, "--timings")).err
        lines = [line for line in said.splitlines() if line.startswith('{"timings"')]
        if not lines:
            raise Failed("`handsoff replay --timings` printed no `{\"timings\":…}` line to stderr")
        taken.append(json.loads(lines[-1])["timings"])
    stages = {name: statistics.median(times[name] for times in taken) for name in taken[0] if name.endswith("_s")}
    total = sum(stages.values()) or 1.0
    progress("")
    print("\n| stage | CPU, s (median) | share |")
    print("|---|---|---|")
    for name, seconds in stages.items():
        print(f"| {name.removesuffix('_s')} | {seconds:.3f} | {seconds / total:.0%} |")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="how many records (default: a million)")
    parser.add_argument("--runs", type=int, default=5, help="how many turns (default: 5)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the logs in DIR, and use what is there")
    parser.add_argument("--binaries", type=Path, metavar="DIR", help="use the binaries in DIR, build nothing")
    parser.add_argument("--growth", action="store_true", help="also memory at a quarter, half, all and twice the records")
    parser.add_argument("--shares", action="store_true", help="also the share of each stage in the replay's CPU time")
    args = parser.parse_args()
    if args.records < 4 or args.runs < 1:
        parser.error("--records takes at least 4, --runs at least 1")
    return args


def measure(args, home):
    binaries = args.binaries.resolve() if args.binaries else build()
    progress("generating logs")
    known = logs(binaries, home, args.records)
    turns, raw = compare(binaries, known, args.runs)
    print_comparison(known, turns, raw)
    if args.growth:
        print_growth(binaries, home, args.records)
    if args.shares:
        print_shares(binaries, known, args.runs)


def main():
    args = arguments()
    try:
        adopt_orphans()
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            measure(args, args.keep.resolve())
        else:
            with tempfile.TemporaryDirectory(prefix="handsoff-bench-") as home:
                measure(args, Path(home))
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        progress("")
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
