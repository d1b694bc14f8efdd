"""Case files: from the grant to the sealed case in the bucket, verified with the digest of the closing alert."""

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

import records
from live import SWEEP, Live
from session import USER, Session
from test_kill import each_step

GLASS = "handsoff-break-glass"
OTHERS = "200000000000"

# Sessions of the role break-glass need a grant, and a case is overdue for its review after an hour.
POLICY = re.sub(
    r'(identity = "arn:aws:iam::\*:role/break-glass"\n)',
    r"\1approval = true\n",
    records.policy().replace("\n[cases]\n", '\n[cases]\nreview_within = "1h"\n'),
)


def session(**more) -> Session:
    """Two hours of the day before yesterday: reads, changes and denials; then logging is turned off, and it goes on."""
    night = Session(records.days_ago(2), **more)
    night.call("rds:DescribeDBInstances", minutes=2, count=4)
    night.call("rds:RebootDBInstance", minutes=3, dBInstanceIdentifier="orders-primary")
    night.call("iam:CreateUser", minutes=4, region="us-east-1", userName="helper")
    night.call("s3:GetBucketPolicy", minutes=5, denied=True, bucketName="orders")
    night.call("cloudtrail:StopLogging", minutes=10, name="trail")
    return night


def goes_on(night: Session) -> list[dict]:
    """What only CloudTrail's own memory tells: two calls in one Region, one in the other."""
    before = len(night.events)
    night.call("ec2:CreateKeyPair", minutes=12, keyName="mine")
    night.call("iam:ListUsers", minutes=13, region="us-east-1")
    night.call("ec2:DescribeKeyPairs", minutes=20)
    return night.events[before:]


@cache
def _case(events: str) -> str:
    found = records.replay(json.loads(events), POLICY)
    (incident,) = {one["incident"] for one in found if one["incident"].startswith("glass-")}
    return incident


def case_of(night: Session) -> str:
    """The session's incident, as `handsoff replay` calls it."""
    return _case(json.dumps(night.events[:2]))


def sealing(live: Live, case: str, sweeps: int = 8) -> str:
    """Sweeps until the case is sealed once more, for CloudTrail is asked in small portions."""
    before = live.sealed(case)
    for _ in range(sweeps):
        outcome = live.sweep(live.due())
        assert outcome.kind == "response", outcome
        if new := live.sealed(case) - before:
            (sealed,) = new
            return sealed
    raise AssertionError(f"not sealed after {sweeps} sweeps")


def endings(live: Live, case: str) -> list[str]:
    """The digests that closing alerts told of a case."""
    closed = [one for one in live.alerts() if one["incident"] == case and "closed" in one["tells"]]
    return [found for one in closed for found in re.findall(r"\b[0-9a-f]{64}\b", one["text"])]


def manifest(copy: Path) -> dict:
    return json.loads((copy / "manifest.json").read_text())


def is_as_sealed(live: Live, case: str, sealed: str, digest: str) -> dict:
    """Downloads a case and holds it against the digest that was told."""
    copy = live.download(case, sealed)
    verified = records.verify(copy, digest)
    assert verified.returncode == 0, verified.stderr
    assert hashlib.sha256((copy / "manifest.json").read_bytes()).hexdigest() == digest
    assert sealed == f"sealed-{digest[:16]}"
    return manifest(copy)


def test_from_the_grant_to_the_sealed_case(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    night = session()
    # What comes by the trail ends when the trail does.
    fed = list(night.events)
    unfed = goes_on(night)
    live.trail += night.records()
    case = case_of(night)

    live.publish([night.grant(), *fed])
    live.run()
    assert live.metric("OpeningSeconds", "SampleCount") >= 1
    opened = [one for one in live.alerts() if one["incident"] == case]
    assert opened and not endings(live, case), "told while it goes on"
    assert len(live.kept(case, "live/")) == len(fed), "every call is kept as it comes"
    assert not live.sealed(case)

    sealed = sealing(live, case)
    assert live.sealed(case) == {sealed}
    (digest,) = endings(live, case)
    told = is_as_sealed(live, case, sealed, digest)

    assert (told["case"], told["person"]["name"]) == (case, USER)
    assert told["approval"]["verdict"] == "approved"
    assert told["approval"]["grant"]["ticket"] == "INC-4711"
    assert told["violations"] == []
    calls, sources = told["summary"]["calls"], told["summary"]["sources"]
    assert calls["all"] == len(night.events)
    assert calls["denied"] == 1
    assert sources["told"] == {"event-bridge": len(fed), "lookup-events": len(night.events)}
    assert sources["only_lookup"]["count"] == sources["after_feed"] == len(unfed)
    assert set(sources["only_lookup"]["events"]) == {event["detail"]["eventID"] for event in unfed}
    assert sources["only_eventbridge"]["count"] == 0
    assert sources["feed_ended"] == fed[-1]["detail"]["eventTime"]
    assert told["lookup"]["complete"]
    assert set(told["lookup"]["regions"]) == {"eu-central-1", "us-east-1"}
    assert live.metric("CasesSealed") == 1
    assert live.metric("CaseCallsMissed") == len(unfed)
    # Swept again nothing is written or told again.
    live.sweep(live.due())
    assert live.sealed(case) == {sealed} and len(endings(live, case)) == 1
    # And whatever is changed in a copy is found.
    copy = live.download(case, sealed)
    lines = copy / "calls-000001.jsonl"
    lines.write_text(lines.read_text().replace("RebootDBInstance", "DescribeDBInstances"))
    assert records.verify(copy, digest).returncode != 0


def test_keys_that_only_came_after_the_feed_had_ended(deploy: Callable[..., Live]) -> None:
    """The console mints an access key for each request: what comes later comes with keys that nobody has seen."""
    live = deploy(policy=POLICY)
    night = session()
    fed = list(night.events)
    night.keys = ["ASIALATERLATER000001"]
    unfed = goes_on(night)
    live.trail += night.records()
    case = case_of(night)
    live.publish([night.grant(), *fed])
    live.run()
    told = manifest(live.download(case, sealing(live, case)))
    assert told["summary"]["sources"]["only_lookup"]["count"] == len(unfed)
    assert told["summary"]["calls"]["all"] == len(night.events)


def test_a_session_without_a_grant(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    night = session()
    live.trail += night.records()
    case = case_of(night)
    live.publish([night.grant(role="another-role"), *night.events])
    live.run()
    told = manifest(live.download(case, sealing(live, case)))
    assert told["approval"]["verdict"] == "missing"
    assert [one["code"] for one in told["violations"]] == ["glass-unapproved"]
    assert any("glass-unapproved" in one["text"] for one in live.alerts() if one["incident"] == case)


def test_repeats_and_order_change_no_byte(deploy: Callable[..., Live]) -> None:
    manifests, digests = [], []
    for seed in (1, 2, 3):
        live = deploy(policy=POLICY, concurrency=2)
        chance = random.Random(seed)
        night = session()
        fed = [night.grant(), *night.events]
        goes_on(night)
        live.trail += chance.sample(night.records(), len(night.events))
        copies = [event for event in fed for _ in range(chance.randint(1, 4))]
        chance.shuffle(copies)
        live.send(GLASS, copies)
        live.mappings[GLASS].drain(2, lambda chance=chance: chance.choice([1, 2, 5, 10]))
        live.settle()
        case = case_of(night)
        sealed = sealing(live, case)
        (digest,) = endings(live, case)
        is_as_sealed(live, case, sealed, digest)
        digests.append(digest)
        manifests.append((live.download(case, sealed) / "manifest.json").read_bytes())
    assert len(set(digests)) == 1
    assert len(set(manifests)) == 1


def test_a_late_call_makes_a_second_case(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    night = session()
    live.trail += night.records()
    case = case_of(night)
    live.publish([night.grant(), *night.events])
    live.run()
    first = sealing(live, case)
    (digest,) = endings(live, case)
    kept = live.download(case, first)

    before = len(night.events)
    night.call("ec2:TerminateInstances", minutes=30, instanceId="i-0123456789abcdef0")
    live.publish(night.events[before:])
    live.run()
    second = sealing(live, case)
    assert live.sealed(case) == {first, second}
    digests = endings(live, case)
    assert digests[0] == digest and len(set(digests)) == 2
    told = is_as_sealed(live, case, second, digests[1])
    assert told["summary"]["calls"]["all"] == len(night.events)
    # The first one is what it was.
    is_as_sealed(live, case, first, digest)
    assert (live.download(case, first) / "manifest.json").read_bytes() == (kept / "manifest.json").read_bytes()


def test_a_review_ends_the_count_of_the_unreviewed(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    night = session()
    live.trail += night.records()
    case = case_of(night)
    live.publish([night.grant(), *night.events])
    live.run()
    now = live.due()

    def unreviewed(minutes: int) -> float:
        before = live.metric("CasesUnreviewed")
        assert live.sweep(now - timedelta(minutes=minutes)).kind == "response"
        return live.metric("CasesUnreviewed") - before

    assert unreviewed(360) == 0
    for minutes in range(355, 310, -5):
        if live.sealed(case):
            break
        live.sweep(now - timedelta(minutes=minutes))
    (digest,) = endings(live, case)
    assert unreviewed(310) == 0, "there is an hour for it"
    assert unreviewed(60) == 1

    def review(**more: str) -> dict:
        written = {"case": case, "digest": digest, "reviewer": "mira.okafor", "note": "All as announced."}
        return records.review(records.days_ago(1), written | {"time": records.days_ago(1)} | more)

    # By the person of the session, of another digest, of no case: refused, with the reason.
    wrong = [review(reviewer=USER), review(digest="0" * 64), review(case="glass-000000000000"), review(note=" ")]
    live.publish(wrong)
    live.run()
    assert unreviewed(50) == 1
    reasons = [one["MessageAttributes"]["reason"]["StringValue"] for one in live.dead(GLASS)]
    assert len(reasons) == len(wrong) and all(reason.startswith("no review: ") for reason in reasons), reasons
    assert live.kept(case, "reviews/") == []

    live.publish([review()])
    live.run()
    live.settle()
    assert unreviewed(40) == 0
    (kept,) = live.kept(case, "reviews/")
    assert re.fullmatch(r"reviews/[0-9a-f]{16}\.json", kept)


def test_a_malformed_grant_is_a_dead_letter(live: Live) -> None:
    night = Session(records.days_ago(2))
    wrong = {
        "no ticket": {"ticket": ""},
        "too long": {"until": night.at(60 * 48)},
        "the wrong way round": {"until": night.at(-60)},
        "no account": {"account": "production"},
        "unknown": {"severity": "low"},
        "no time": {"from": "soon"},
    }
    live.publish([night.grant(**more) for more in wrong.values()])
    live.run()
    reasons = [one["MessageAttributes"]["reason"]["StringValue"] for one in live.dead(GLASS)]
    assert len(reasons) == len(wrong)
    assert all(reason.startswith("no grant: ") and reason.isprintable() for reason in reasons), reasons
    assert live.metric("UnreadablePayloads", Function=GLASS) == len(wrong)
    assert live.alerts() == []


def test_what_is_removed_from_the_table_comes_back_from_the_bucket(deploy: Callable[..., Live]) -> None:
    digests = []
    for removed in (False, True):
        live = deploy(policy=POLICY)
        night = session()
        live.trail += night.records()
        case = case_of(night)
        live.publish([night.grant(), *night.events])
        live.run()
        if removed:
            client = live.aws.client("dynamodb")
            calls = [one for one in live.items() if one["pk"]["S"] == case and one["sk"]["S"].startswith("call#")]
            assert len(calls) == len(night.events)
            for item in calls[1:]:
                client.delete_item(TableName=live.table, Key={"pk": item["pk"], "sk": item["sk"]})
        sealing(live, case)
        digests += endings(live, case)
    assert len(digests) == 2 and len(set(digests)) == 1


# ---- What fails ----


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "conflict"])
def test_a_short_failure_of_the_bucket_is_retried_at_once(deploy: Callable[..., Live], kind: str) -> None:
    live = deploy(policy=POLICY)
    night = session()
    trouble = live.faults.trouble("s3", kind, times=2)
    live.send(GLASS, night.events)
    live.run()
    assert trouble.met == 2
    live.settle()
    assert len(live.kept(case_of(night), "live/")) == len(night.events)


@pytest.mark.parametrize("kind", ["refuse", "unavailable", "throttle"])
def test_without_the_bucket_the_alert_is_sent_and_nothing_is_lost(deploy: Callable[..., Live], kind: str) -> None:
    live = deploy(policy=POLICY, timeout=10)
    night = session()
    live.trail += night.records()
    case = case_of(night)
    live.faults.trouble("s3", kind)
    live.send(GLASS, [night.grant(), *night.events])
    outcome = live.mappings[GLASS].poll()
    assert outcome.kind == "response", outcome
    opened = [one for one in live.alerts() if one["incident"] == case]
    assert opened, "told, whatever becomes of the case"
    assert live.mappings[GLASS].held, "and the calls come again"
    live.faults.heal()
    live.pass_lease()
    live.settle()
    assert len(live.kept(case, "live/")) == len(night.events)
    sealed = sealing(live, case)
    (digest,) = endings(live, case)
    is_as_sealed(live, case, sealed, digest)


def test_a_sweep_without_the_bucket_says_nothing_and_seals_later(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    night = session()
    live.trail += night.records()
    case = case_of(night)
    live.publish([night.grant(), *night.events])
    live.run()
    live.faults.trouble("s3", "refuse")
    for _ in range(3):
        # It may say that something failed, but in its time.
        assert live.sweep(live.due()).kind in ("response", "error")
    assert endings(live, case) == [], "no digest is told of what isn't kept"
    live.faults.heal()
    sealed = sealing(live, case)
    (digest,) = endings(live, case)
    is_as_sealed(live, case, sealed, digest)


def test_a_case_is_sealed_although_cloudtrail_refuses(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    night = session()
    case = case_of(night)
    live.publish([night.grant(), *night.events])
    live.run()
    live.faults.trouble("cloudtrail", "refuse")
    for _ in range(30):
        assert live.sweep(live.due()).kind in ("response", "error")
        if live.sealed(case):
            break
    (sealed,) = live.sealed(case)
    (digest,) = endings(live, case)
    told = is_as_sealed(live, case, sealed, digest)
    assert not told["lookup"]["complete"] and told["lookup"]["problem"]
    assert told["summary"]["sources"]["told"] == {"event-bridge": len(night.events)}


def test_many_calls_are_asked_for_page_by_page(deploy: Callable[..., Live]) -> None:
    """More than a page of CloudTrail's, and more than a file of the case."""
    live = deploy(policy=POLICY)
    night = session(keys=1)
    fed = list(night.events)
    night.call("ec2:DescribeInstances", minutes=15, count=1_100)
    live.trail += night.records()
    case = case_of(night)
    live.publish([night.grant(), *fed])
    live.run()
    sealed = sealing(live, case)
    (digest,) = endings(live, case)
    told = is_as_sealed(live, case, sealed, digest)
    assert [one["file"] for one in told["segments"]] == ["calls-000001.jsonl", "calls-000002.jsonl"]
    assert told["segments"][0]["lines"] == 1_000
    assert told["summary"]["calls"]["all"] == len(night.events)
    assert live.metric("CaseCallsMissed") == len(night.events) - len(fed)


# ---- Killed before every step that changes something, the last of which is the answer to Lambda ----


def short(number: int) -> Session:
    """A session of few calls in an account of its own, of which CloudTrail knows one more."""
    night = Session(records.days_ago(2), keys=1, account=f"{int(OTHERS) + number}")
    night.call("rds:RebootDBInstance", minutes=3, dBInstanceIdentifier="orders-primary")
    return night


def sweep_until_closed(live: Live, case: str) -> None:
    for _ in range(8):
        live.pass_lease()
        assert live.sweep(live.due()).kind == "response"
        if endings(live, case):
            return
    raise AssertionError(f"{case} is never closed")


def test_killed_at_every_step_of_a_sealing(deploy: Callable[..., Live]) -> None:
    live = deploy(policy=POLICY)
    nights: dict[int, Session] = {}

    def prepare(number: int) -> None:
        if number > 1:
            # The last one is sealed, and nothing else is left to do for the next sweep.
            sweep_until_closed(live, case_of(nights[number - 1]))
        night = nights[number] = short(number)
        live.send(GLASS, [night.grant(), *night.events])
        night.call("ec2:CreateKeyPair", minutes=12, keyName="mine")
        live.trail[:] = night.records()
        live.settle()

    tries = list(each_step(live, prepare, lambda: live.sweep(live.due())))
    for number, night in nights.items():
        sweep_until_closed(live, case_of(night))
        assert number <= len(tries)
    names = {call.name for one in tries for call in one.calls}
    assert {"s3:PutObject", "s3:ListObjectsV2", "cloudtrail:LookupEvents", "sns:Publish"} <= names
    for one in tries:
        night = nights[one.number]
        case = case_of(night)
        sealed = live.sealed(case)
        assert len(sealed) == 1, f"{one.step}: {sealed}"
        digests = endings(live, case)
        assert digests and set(digests) == {digests[0]}, one.step
        told = is_as_sealed(live, case, *sealed, digests[0])
        assert told["summary"]["calls"]["all"] == len(night.events), one.step
        assert told["summary"]["sources"]["only_lookup"]["count"] == 1, one.step
    repeated = Counter(len(endings(live, case_of(night))) for night in nights.values())
    print(f"closing alerts of {len(nights)} sessions: {dict(repeated)}")


def test_killed_at_every_step_of_keeping_a_call(deploy: Callable[..., Live]) -> None:
    """Whatever was done before it died: after the redelivery each call is kept once, in table and bucket."""
    live = deploy(policy=POLICY)
    mapping = live.mappings[GLASS]
    nights: dict[int, Session] = {}

    def prepare(number: int) -> None:
        nights[number] = short(number)
        live.send(GLASS, [nights[number].grant(), *nights[number].events])

    tries = list(each_step(live, prepare, mapping.poll))
    assert "s3:PutObject" in {call.name for one in tries for call in one.calls}
    live.settle()
    live.pass_lease()
    assert live.sweep(live.due()).kind == "response"
    items = Counter(one["pk"]["S"] for one in live.items() if one["sk"]["S"].startswith("call#"))
    for one in tries:
        night = nights[one.number]
        case = case_of(night)
        assert len(live.kept(case, "live/")) == items[case] == len(night.events), one.step
        assert any(alert["incident"] == case for alert in live.alerts()), one.step
    assert live.functions[SWEEP].environments
