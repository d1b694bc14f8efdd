"""The stack as moto has it, before any function runs."""

import json

import limits
from live import DETECTORS, SWEEP, Live


def test_nothing_is_left_out_of_the_stack_but_what_is_known(account: Live) -> None:
    assert account.stack.left_out == limits.LEFT_OUT


def test_functions_have_their_environment(account: Live) -> None:
    every = {"HANDSOFF_TABLE", "HANDSOFF_TOPIC", "HANDSOFF_POLICY", "HANDSOFF_KEEP_DAYS"}
    detector = every | {"HANDSOFF_DEAD_LETTERS"}
    names = {"HANDSOFF_BREAK_GLASS_NAMES", "HANDSOFF_DEPLOY_NAMES"}
    wanted = {
        "handsoff-drift": detector | {"HANDSOFF_CANARY_ROLE", "HANDSOFF_CANARY_TABLE", "HANDSOFF_PROTECTED"},
        "handsoff-break-glass": detector,
        "handsoff-deny-spike": detector,
        SWEEP: every | names | {"HANDSOFF_CANARY_MINUTES", "HANDSOFF_CANARY_TABLE"},
    }
    assert {name: set(one.spec.environment) for name, one in account.functions.items()} == wanted
    for function in account.functions.values():
        # Where Lambda puts the layer, which is built of the folder that holds the policy.
        assert function.spec.environment["HANDSOFF_POLICY"] == str(account.folder / "handsoff.toml")


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
        assert target["DeadLetterConfig"]["Arn"].endswith(":handsoff-undelivered")
        if name == SWEEP:
            assert rule["ScheduleExpression"] == "rate(1 minute)"
            assert target["Arn"] == account.functions[SWEEP].spec.arn
        else:
            assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
            assert target["Arn"] == account.mappings[name].queue_arn


def test_the_table_expires_and_can_be_restored(account: Live) -> None:
    client = account.aws.client("dynamodb")
    ttl = client.describe_time_to_live(TableName=account.table)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = client.describe_continuous_backups(TableName=account.table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
