"""The stack as moto has it, before any function runs."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

import limits
import records
from aws import ACCOUNT
from live import DETECTORS, SWEEP, Live
from permissions import Permission, allows, denies


def test_nothing_is_left_out_of_the_stack_but_what_is_known(account: Live) -> None:
    assert account.stack.left_out == limits.LEFT_OUT


def test_functions_have_their_environment(account: Live) -> None:
    every = {"HANDSOFF_TABLE", "HANDSOFF_TOPIC", "HANDSOFF_POLICY", "HANDSOFF_KEEP_DAYS", "HANDSOFF_RESEND_SECONDS"}
    detector = every | {"HANDSOFF_DEAD_LETTERS"}
    wanted = {name: detector for name in DETECTORS} | {
        "handsoff-drift": detector | {"HANDSOFF_CANARY_ROLE", "HANDSOFF_CANARY_TABLE", "HANDSOFF_PROTECTED"},
        "handsoff-break-glass": detector | {"HANDSOFF_CASES"},
        SWEEP: every | {"HANDSOFF_RULES", "HANDSOFF_CANARY_MINUTES", "HANDSOFF_CANARY_TABLE", "HANDSOFF_CASES"}
        | {"HANDSOFF_LOOKUP_REGIONS"},
    }
    assert {name: set(one.spec.environment) for name, one in account.functions.items()} == wanted
    for function in account.functions.values():
        # Where Lambda puts the layer, which is built of the folder that holds the policy.
        assert function.spec.environment["HANDSOFF_POLICY"] == str(account.folder / "handsoff.toml")
        # What a function is about to send isn't sent by another as long as it may run.
        assert int(function.spec.environment["HANDSOFF_RESEND_SECONDS"]) > max(
            one.spec.timeout for one in account.functions.values()
        )


def test_queues_hide_what_is_worked_on_long_enough_and_give_up(account: Live) -> None:
    for name in DETECTORS:
        url = account.mappings[name].queue_url
        got = account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert int(got["VisibilityTimeout"]) >= 6 * account.functions[name].spec.timeout
        assert json.loads(got["RedrivePolicy"])["maxReceiveCount"] == 5
        # Where the function puts what it can't read is where SQS puts what fails.
        theirs = account.functions[name].spec.environment["HANDSOFF_DEAD_LETTERS"]
        assert theirs.rsplit("/", 1)[-1] == account.stack.dead_letters(url).rsplit("/", 1)[-1]


def test_mappings_answer_message_by_message_and_are_bounded(account: Live) -> None:
    for name, mapping in account.stack.mappings().items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 100, name


def test_rules_see_read_only_events_and_have_dead_letter_queues(account: Live) -> None:
    events = account.aws.client("events")
    for name in (*DETECTORS, SWEEP):
        rule = events.describe_rule(Name=name)
        (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
        # SQS moves messages back only out of a queue that a queue names: the rule has its function's.
        assert target["DeadLetterConfig"]["Arn"].endswith(f":{name}-dead-letters")
        if name == SWEEP:
            assert rule["ScheduleExpression"] == "rate(1 minute)"
            assert target["Arn"] == account.functions[SWEEP].spec.arn
        else:
            assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
            assert target["Arn"] == account.mappings[name].queue_arn


def test_the_rule_for_grants_and_reviews_feeds_break_glass(account: Live) -> None:
    events = account.aws.client("events")
    rule = events.describe_rule(Name="handsoff-cases")
    assert rule["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule="handsoff-cases")["Targets"]
    assert target["Arn"] == account.mappings["handsoff-break-glass"].queue_arn
    # Both queues take what either rule sends.
    url = account.mappings["handsoff-break-glass"].queue_url
    dead = account.stack.dead_letters(url)
    assert dead == account.stack.queue_url(target["DeadLetterConfig"]["Arn"])
    for queue in (url, dead):
        got = account.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
        (allowed,) = [one for one in json.loads(got)["Statement"] if one["Effect"] == "Allow"]
        for name in ("handsoff-break-glass", "handsoff-cases"):
            arn = events.describe_rule(Name=name)["Arn"]
            assert arn in allowed["Condition"]["ArnEquals"]["aws:SourceArn"], (queue, name)


def test_another_account_may_send_grants_and_reviews_and_nothing_else(account: Live) -> None:
    policy = json.loads(account.aws.client("events").describe_event_bus(Name="default")["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"]["AWS"] in (records.TICKETS, [records.TICKETS])
    assert statement["Action"] == "events:PutEvents"
    assert statement["Condition"] == {
        "StringEquals": {"events:detail-type": ["Break-Glass Grant", "Break-Glass Review", "Drift Acceptance"]}
    }


def test_what_is_in_the_bucket_is_locked_and_private(account: Live) -> None:
    s3 = account.aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=account.bucket)["Status"] == "Enabled"
    lock = s3.get_object_lock_configuration(Bucket=account.bucket)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"
    assert lock["Rule"]["DefaultRetention"].items() >= {"Mode": "COMPLIANCE", "Days": 400}.items()
    public = s3.get_public_access_block(Bucket=account.bucket)["PublicAccessBlockConfiguration"]
    assert set(public.values()) == {True} and len(public) == 4
    owner = s3.get_bucket_ownership_controls(Bucket=account.bucket)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    # Nothing expires: an expiry would hide what is locked.
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=account.bucket)["Rules"]
    assert "AbortIncompleteMultipartUpload" in rule and "Expiration" not in rule
    put = s3.put_object(Bucket=account.bucket, Key="cases/x/live/1.json", Body=b"{}", ChecksumAlgorithm="CRC32")
    version = put["VersionId"]
    found = s3.head_object(Bucket=account.bucket, Key="cases/x/live/1.json")
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert found["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=399)
    with pytest.raises(ClientError):
        s3.delete_object(Bucket=account.bucket, Key="cases/x/live/1.json", VersionId=version)


@pytest.mark.parametrize(
    ("role", "need", "denied"),
    [
        ("handsoff-sweep", Permission("s3:PutObject", "cases/x/1", (("s3:if-none-match", "*"),)), False),
        ("handsoff-break-glass", Permission("s3:PutObject", "cases/x/1", (("s3:if-none-match", "*"),)), False),
        ("handsoff-sweep", Permission("s3:PutObject", "cases/x/1", (("s3:if-none-match", ""),)), True),
        ("handsoff-drift", Permission("s3:PutObject", "cases/x/1", (("s3:if-none-match", "*"),)), True),
        ("admin", Permission("s3:PutObject", "cases/x/1", (("s3:if-none-match", "*"),)), True),
        ("admin", Permission("s3:GetObject", "cases/x/1"), False),
        *(
            (role, Permission(f"s3:{action}", "cases/x/1"), True)
            for role in ("admin", "handsoff-sweep")
            for action in ("DeleteObject", "DeleteObjectVersion", "PutObjectRetention", "PutObjectLegalHold")
        ),
        # Denied, the stack itself could never be changed again.
        ("admin", Permission("s3:PutBucketPolicy", ""), False),
    ],
)
def test_the_bucket_denies_what_it_should(account: Live, role: str, need: Permission, denied: bool) -> None:
    arn = f"arn:aws:s3:::{account.bucket}" + (f"/{need.resource}" if need.resource else "")
    who = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    assert denies(account.stack.bucket_statements(), who, need._replace(resource=arn)) == denied


def test_roles_reach_cases_only(account: Live) -> None:
    bucket = f"arn:aws:s3:::{account.bucket}"
    sweep, glass = account.stack.role_statements(SWEEP), account.stack.role_statements("handsoff-break-glass")
    prefix = ("s3:prefix", "cases/glass-1/live/")
    assert allows(sweep, Permission("s3:ListBucket", bucket, (prefix,)))
    assert not allows(sweep, Permission("s3:ListBucket", bucket, (("s3:prefix", ""),)))
    assert not allows(glass, Permission("s3:ListBucket", bucket, (prefix,)))
    assert allows(sweep, Permission("s3:GetObject", f"{bucket}/cases/x"))
    assert not allows(glass, Permission("s3:GetObject", f"{bucket}/cases/x"))
    for statements in (sweep, glass):
        assert allows(statements, Permission("s3:PutObject", f"{bucket}/cases/x"))
        assert not allows(statements, Permission("s3:PutObject", f"{bucket}/other/x"))
        assert not allows(statements, Permission("s3:PutObject", f"{bucket}-of-others/cases/x"))
    drift = account.stack.role_statements("handsoff-drift")
    assert not allows(drift, Permission("s3:PutObject", f"{bucket}/cases/x"))


def test_the_table_expires_and_can_be_restored(account: Live) -> None:
    client = account.aws.client("dynamodb")
    ttl = client.describe_time_to_live(TableName=account.table)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = client.describe_continuous_backups(TableName=account.table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
