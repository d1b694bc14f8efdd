#!/usr/bin/env python3
"""Measures the Lambda functions beside the least function there is, over an emulated Runtime API.

    python3 bench/lambda.py                     # 20 turns
    python3 bench/lambda.py --tls               # also the first finding with AWS behind TLS; needs `openssl`

Builds the release binaries. Each turn goes through all functions, one after the other: the function
that `cargo lambda new` writes, which answers with what it was handed, and handsoff's. So a machine
that is slow for a while is slow for all. AWS is a server on loopback that answers at once: what is
measured is the functions' own time, not AWS's. Standard library only; Linux only.
"""

import argparse
import asyncio
import json
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from run import ROOT, Failed, machine, progress, spread

HELLO = "handsoff-hello"
DETECTORS = ["handsoff-drift", "handsoff-break-glass", "handsoff-deny-spike"]
SWEEP = "handsoff-sweep"
#: How many times what the same of hello-world takes a function may take.
TARGETS = {"poll": 1.5, "echo": 1.2}
#: Starts of each function in a turn.
STARTS = 5
EVENTS = ROOT / "events"
ENVIRONMENT = {
    "HANDSOFF_POLICY": EVENTS / "handsoff.toml",
    "HANDSOFF_TABLE": "handsoff",
    "HANDSOFF_CASES": "handsoff-cases",
    "HANDSOFF_TOPIC": "arn:aws:sns:eu-central-1:111122223333:handsoff",
    "HANDSOFF_DEAD_LETTERS": "http://127.0.0.1/dead-letters",
    "HANDSOFF_CANARY_ROLE": "arn:aws:iam::111122223333:role/handsoff-sweep",
    "HANDSOFF_CANARY_TABLE": "arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff",
    "HANDSOFF_RULES": "BreakGlassNames=break-glass;BreakGlassWildcards=emergency/*;DeployRoleNames=deploy-pipeline",
}
#: Payloads without a finding, by the names of their events.
NOTHING = {
    "one event": ["nothing.human-read"],
    "ten events": [
        "nothing.aws-service",
        "nothing.deploy-role",
        "nothing.dry-run",
        "nothing.exception",
        "nothing.human-read",
        "nothing.kms-decrypt",
        "nothing.log-query",
        "nothing.service-event",
        "nothing.service-linked-role",
        "nothing.workload-allowed",
    ],
}
#: What each function has something to say about.
FINDINGS = {
    "handsoff-drift": ["drift-write.permission-set-console.json"],
    "handsoff-break-glass": ["glass-opened.assume-role.json"],
    "handsoff-deny-spike": ["deny-spike.jsonl"],
}
#: A hello-world without a log, shown so that the log's share is known.
BARE = "without a log"


def build():
    """Builds the release binaries and says where they are. Hello by itself: no other crate adds features to it."""
    for packages in ([HELLO], ["handsoff-bench"], [*DETECTORS, SWEEP]):
        command = ["cargo", "build", "--release", *(word for name in packages for word in ("-p", name))]
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            raise Failed(f"`{' '.join(command)}` failed")
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release"


def events(name):
    """The EventBridge events of a sample, as text without spaces, which is how they arrive."""
    text = (EVENTS / name).read_text()
    found = [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else [json.loads(text)]
    return [json.dumps(event, separators=(",", ":")) for event in found]


def batch(bodies):
    """A batch as SQS's event source mapping hands it over."""
    records = [
        {
            "messageId": f"059f36b4-87a3-44ab-83d2-{number:012}",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 4,
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1773449920183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1773449920185",
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:handsoff-drift",
            "awsRegion": "eu-central-1",
        }
        for number, body in enumerate(bodies)
    ]
    return json.dumps({"Records": records}, separators=(",", ":"))


def schedule():
    """What the schedule hands to the sweep, in a minute in which it does all it does."""
    event = {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": "2026-03-14T02:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:111122223333:rule/handsoff-sweep"],
        "detail": {},
    }
    return json.dumps(event, separators=(",", ":"))


def write_payloads(folder):
    """The payloads as files, by name; for findings by function."""
    payloads = {name: batch(body for one in names for body in events(f"{one}.json")) for name, names in NOTHING.items()}
    for function, names in FINDINGS.items():
        payloads[function] = batch(body for name in names for body in events(name))
    payloads[SWEEP] = schedule()
    files = {}
    for name, text in payloads.items():
        files[name] = folder / f"{name.replace(' ', '-')}.json"
        files[name].write_text(text)
    return files


def emulate(binaries, function, sends, environment=(), port=0):
    """Starts a function once, hands it payloads, `(name, times, file)` each, and says what it took."""
    argv = [binaries / "handsoff-emulate", binaries / function, "--aws-port", port]
    for name, value in [*ENVIRONMENT.items(), *environment]:
        argv += ["--env", f"{name}={value}"]
    for name, times, file in sends:
        argv += ["--send", f"{name}:{times}:{file}"]
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(f"{function}: {done.stderr.strip()}")
    measured = json.loads(done.stdout)
    measured["rounds"] = {taken["name"]: taken for taken in measured["rounds"]}
    return measured


def expect(function, taken, finding):
    """What was measured is what was meant: an alert was sent, or nobody was called."""
    if function != SWEEP and taken["response"] != '{"batchItemFailures":[]}':
        raise Failed(f"{function} answered {taken['response']}")
    sent = taken["calls"].get("Publish", 0)
    if (sent == 1) != (finding and function != SWEEP) or (not finding and taken["calls"]):
        raise Failed(f"{function} made these calls for `{taken['name']}`: {taken['calls']}")


def start_all(binaries):
    """Starts every function once, and nothing else in between, which would push their pages out of the caches."""
    bare = [("HELLO_WITHOUT_LOG", "1")]
    taken = {BARE: emulate(binaries, HELLO, [], bare)}
    for name in [HELLO, *DETECTORS, SWEEP]:
        taken[name] = emulate(binaries, name, [])
    return taken


def turn(binaries, payloads, times):
    """Payloads for every function in a process of its own."""
    turn = {}
    nothing = [("warm", times // 10 + 1, payloads["one event"])]
    nothing += [(name, times, payloads[name]) for name in NOTHING]
    turn[HELLO] = emulate(binaries, HELLO, nothing)
    turn[BARE] = emulate(binaries, HELLO, nothing, [("HELLO_WITHOUT_LOG", "1")])
    for function in DETECTORS:
        turn[function] = emulate(binaries, function, nothing)
        for name in NOTHING:
            expect(function, turn[function]["rounds"][name], finding=False)
    for function in [*DETECTORS, SWEEP]:
        few = [("first", 1, payloads[function]), ("more", times // 5 + 1, payloads[function])]
        found = emulate(binaries, function, few)
        for taken in found["rounds"].values():
            expect(function, taken, finding=True)
        turn.setdefault(function, {})["found"] = found["rounds"]
    return turn


def mebibytes(turns, pick):
    return spread([pick(turn)["resident"] / 1024 for turn in turns], 1)


def ratio(turns, pick, function, over=HELLO):
    """The ratio of medians over all turns."""
    median = {name: statistics.median(pick(turn[name]) for turn in turns) for name in (function, over)}
    return median[function] / median[over]


def verdict(value, target):
    return f"{value:.2f} | {'met' if value <= target else '**missed**'}"


def print_starts(binaries, starts, turns, times):
    print(f"\n{len(starts)} starts of each:\n")
    print(f"| function | binary, MB | exec to first poll, ms | / hello-world, target ≤ {TARGETS['poll']} | | CPU of it, ms |"
          f" memory then, MiB | after {len(NOTHING) * times:,} payloads |")
    print("|---|---|---|---|---|---|---|---|")
    for name in [HELLO, BARE, *DETECTORS, SWEEP]:
        own = [start[name] for start in starts]
        poll, cpu = (spread([one[key] for one in own], 2) for key in ("first_poll_ms", "first_poll_cpu_ms"))
        memory = mebibytes(own, lambda one: one["memory"])
        after = "" if name == SWEEP else mebibytes(
            [turn[name] for turn in turns], lambda one: list(one["rounds"].values())[-1]["memory"])
        size = (binaries / (HELLO if name == BARE else name)).stat().st_size / 1e6
        held = verdict(ratio(starts, lambda one: one["first_poll_ms"], name), TARGETS["poll"])
        title = {HELLO: "hello-world", BARE: "hello-world without a log"}.get(name, f"`{name}`")
        print(f"| {title} | {size:.1f} | {poll} | {'1 |' if name == HELLO else held} | {cpu} | {memory} | {after} |")


def print_latencies(turns, times):
    print(f"\nLatency of a payload without a finding, µs: median of {times:,} in each turn.\n")
    print(f"| function | payload | µs | / echo, target ≤ {TARGETS['echo']} | |")
    print("|---|---|---|---|---|")
    for payload in NOTHING:
        for name in [HELLO, BARE, *DETECTORS]:
            pick = lambda one, payload=payload: one["rounds"][payload]["median_us"]
            taken = spread([pick(turn[name]) for turn in turns], 1)
            held = verdict(ratio(turns, pick, name), TARGETS["echo"])
            title = {HELLO: "echo", BARE: "echo without a log"}.get(name, f"`{name}`")
            print(f"| {title} | {payload} | {taken} | {'1 |' if name == HELLO else held} |")


def print_findings(turns):
    print("\nWith a finding, and of the sweep: all that is told of it, on a table that knows nothing of it, with AWS on")
    print("loopback. The first in a process builds the clients.\n")
    print("| function | AWS calls | first in a process, ms | any later, ms | memory after the first, MiB | after all |")
    print("|---|---|---|---|---|---|")
    for name in [*DETECTORS, SWEEP]:
        found = [turn[name]["found"] for turn in turns]
        calls = sum(found[0]["more"]["calls"].values())
        first = spread([one["first"]["first_us"] / 1e3 for one in found], 2)
        more = spread([one["more"]["median_us"] / 1e3 for one in found], 2)
        memory = [mebibytes(found, lambda one, round=round: one[round]["memory"]) for round in ("first", "more")]
        print(f"| `{name}` | {calls} | {first} | {more} | {memory[0]} | {memory[1]} |")


class Tls:
    """A TLS server on loopback in front of the emulator's AWS, with a certificate of its own."""

    def __init__(self, folder):
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", self.certificate],
            check=True, stderr=subprocess.DEVNULL,
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        # Among as many others as there are on this machine: to read them takes a client the most of its time.
        system = Path(ssl.get_default_verify_paths().cafile or "/nowhere")
        self.store = folder / "store.pem"
        self.store.write_text((system.read_text() if system.exists() else "") + self.certificate.read_text())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.behind = free.getsockname()[1]
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True).start()
        ready.wait()

    async def _serve(self, ready):
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    async def _pass_on(self, reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        await asyncio.gather(self._copy(reader, inner_writer), self._copy(inner_reader, writer))

    @staticmethod
    async def _copy(reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()


def tls_turn(binaries, payloads, tls):
    """Findings of each detector once more, with AWS behind TLS."""
    over = [("AWS_ENDPOINT_URL", f"https://localhost:{tls.port}"), ("SSL_CERT_FILE", tls.store)]
    turn = {}
    for function in DETECTORS:
        few = [("first", 1, payloads[function]), ("more", 20, payloads[function])]
        turn[function] = emulate(binaries, function, few, over, tls.behind)["rounds"]
        for taken in turn[function].values():
            expect(function, taken, finding=True)
    return turn


def print_tls(turns):
    print("\nThe same with AWS behind TLS on loopback:\n")
    print("| function | first in a process, ms | any later, ms | memory after the first, MiB |")
    print("|---|---|---|---|")
    for name in DETECTORS:
        found = [turn[name] for turn in turns]
        first = spread([one["first"]["first_us"] / 1e3 for one in found], 2)
        more = spread([one["more"]["median_us"] / 1e3 for one in found], 2)
        print(f"| `{name}` | {first} | {more} | {mebibytes(found, lambda one: one['first']['memory'])} |")


def measure(args, folder):
    binaries = args.binaries.resolve() if args.binaries else build()
    payloads = write_payloads(folder)
    tls = Tls(folder) if args.tls else None
    starts, turns, tls_turns = [], [], []
    for number in range(args.runs):
        progress(f"turn {number + 1} of {args.runs}")
        starts += [start_all(binaries) for _ in range(STARTS)]
        turns.append(turn(binaries, payloads, args.events))
        if tls:
            tls_turns.append(tls_turn(binaries, payloads, tls))
    progress("")
    print(f"{args.runs} turns, min / median / max of them; ratios are of the medians.")
    print(f"{machine()}.")
    print_starts(binaries, starts, turns, args.events)
    print_latencies(turns, args.events)
    print_findings(turns)
    if tls:
        print_tls(tls_turns)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="how many turns (default: 20)")
    parser.add_argument("--events", type=int, default=1000, help="how many times each payload is sent (default: 1000)")
    parser.add_argument("--binaries", type=Path, metavar="DIR", help="use the binaries in DIR, build nothing")
    parser.add_argument("--tls", action="store_true", help="also findings with AWS behind TLS")
    args = parser.parse_args()
    if args.runs < 1 or args.events < 1:
        parser.error("--runs and --events take at least 1")
    return args


def main():
    args = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="handsoff-bench-") as folder:
            measure(args, Path(folder))
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        progress("")
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
