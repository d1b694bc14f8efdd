"""What the functions ask of DynamoDB, asked of moto and of dynalite: both must answer alike.

A night is driven through the real functions; what they sent is played again, call by call, into two empty tables of
the template's definition, with what a single night doesn't bring: puts that come twice, items that have expired, pages.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import records
import stack
from aws import Aws
from conftest import finish, needs_binaries
from dynalite import Dynalite, ask, missing
from live import DETECTORS, PARAMETERS, SWEEP, Live

# One after the other, in one process: they look at the same night.
pytestmark = pytest.mark.xdist_group("second_dynamodb")

# What CreateTable and CloudFormation call alike, and both judges know.
OF_A_TABLE = ("TableName", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
PLAYED = ("PutItem", "GetItem", "Query")
# Lambda's part of the work, and the key's by way of SNS.
NOT_BY_FUNCTIONS = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
NOT_BY_FUNCTIONS |= {"logs:CreateLogStream", "logs:PutLogEvents", "kms:GenerateDataKey", "kms:Decrypt"}
CALLED_OTHERWISE = {"s3:ListBucket": "s3:ListObjectsV2"}
LATER = str(10**10)
# Queries of one kind that are also read in pages.
PAGED = 5


@pytest.fixture(scope="module")
def played(aws: Aws) -> Iterator[Live]:
    """A night has passed through all functions, and all of it is closed and sealed."""
    needs_binaries()
    live = Live(aws)
    try:
        # One that finds nothing.
        live.sweep(live.due())
        events = [event for found in records.samples().values() for event in found]
        for name in DETECTORS:
            live.send(name, [*events, "not JSON"])
        live.settle()
        live.sweep_all()
        yield live
    finally:
        finish(live)


def test_every_call_that_a_role_allows_is_made_and_held_against_the_models(played: Live) -> None:
    statements = [one for name in (*DETECTORS, SWEEP) for one in played.stack.role_statements(name)]
    actions = {action for one in statements for action in _list(one["Action"])} - NOT_BY_FUNCTIONS
    assert {CALLED_OTHERWISE.get(action, action) for action in actions} == set(played.faults.held)
    print(f"{played.faults.held.total()} calls of {len(played.faults.held)} operations")


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@dataclass
class Judges:
    """The same question to both; what they answer differently is kept."""

    urls: tuple[str, str]
    asked: int = 0
    # How often moto knew that a page that is full was the last.
    foreseen: int = 0
    differ: list[str] = field(default_factory=list)
    # By kind of question how often it was answered how.
    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def ask(self, operation: str, members: dict, kind: str = "") -> dict:
        kind = kind or kind_of(operation, members)
        ours, theirs = (ask(url, operation, members) for url in self.urls)
        self.asked += 1
        if _is_full(members, theirs[1]) and "LastEvaluatedKey" not in ours[1]:
            # DynamoDB learns it by looking on, and so does who reads the pages.
            self.foreseen += 1
            ours[1]["LastEvaluatedKey"] = theirs[1]["LastEvaluatedKey"]
        if _comparable(members, *ours) != _comparable(members, *theirs):
            self.differ.append(
                f"{kind}\n{str(members)[:600]}\n  moto     {str(ours)[:600]}\n  dynalite {str(theirs)[:600]}"
            )
        self.answers[kind][_outcome(*theirs)] += 1
        return theirs[1]

    def pages(self, members: dict, limit: int) -> int:
        """A query page by page, to its end; how many pages it was."""
        if "IndexName" in members:
            return self.unordered(members, limit)
        page, number = members | {"Limit": limit}, 0
        while True:
            number += 1
            answer = self.ask("Query", page, "a page of " + kind_of("Query", members))
            if "LastEvaluatedKey" not in answer:
                return number
            page = page | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def unordered(self, members: dict, limit: int) -> int:
        """The same of an index, in which items of one partition and sort key have no order: what is on which page is for
        each to say, and all pages together hold the same, each item once."""
        found = []
        for url in self.urls:
            items, page = [], members | {"Limit": limit}
            while page:
                _, answer = ask(url, "Query", page)
                items += answer["Items"]
                behind = answer.get("LastEvaluatedKey")
                page = page | {"ExclusiveStartKey": behind} if behind else None
            found.append(sorted(json.dumps(item, sort_keys=True) for item in items))
        self.asked += 1
        if found[0] != found[1]:
            self.differ.append(f"the pages of {kind_of('Query', members)}\n  moto     {found[0]}\n  dynalite {found[1]}")
        return len(found[1]) // limit + 1

    def whole(self, members: dict) -> None:
        """A query whose pages end with the megabyte, at which item is for each to say: all of them together."""
        found = []
        for url in self.urls:
            items, pages = [], 0
            page: dict | None = {key: value for key, value in members.items() if key != "Limit"}
            while page:
                _, answer = ask(url, "Query", page)
                items += answer["Items"]
                pages += 1
                behind = answer.get("LastEvaluatedKey")
                page = page | {"ExclusiveStartKey": behind} if behind else None
            assert pages > 1, url
            found.append([(item["pk"]["S"], item["sk"]["S"]) for item in items])
        self.asked += 1
        assert found[0] == found[1] != []


def kind_of(operation: str, members: dict) -> str:
    """What is asked, without what it is about."""
    about = {"TableName", "Item", "Key", "ExpressionAttributeNames", "ExpressionAttributeValues", "ExclusiveStartKey"}
    shown = {key: "some" if key == "Limit" else value for key, value in members.items() if key not in about}
    return f"{operation} {json.dumps(shown, sort_keys=True)}"


def _is_full(members: dict, answer: dict) -> bool:
    return "LastEvaluatedKey" in answer and answer["Count"] == members.get("Limit")


def _comparable(members: dict, status: int, answer: dict) -> tuple[int, dict]:
    if "IndexName" in members and "Items" in answer:
        # Of one partition and sort key: an index has them in no order.
        answer = answer | {"Items": sorted(answer["Items"], key=json.dumps)}
    return status, answer


def _outcome(status: int, answer: dict) -> str:
    if status != 200:
        return answer["error"]
    return "something" if answer.get("Items") or answer.get("Item") or answer.get("Attributes") else "nothing"


def definition() -> dict:
    """The table of the template, as CreateTable wants it."""
    template = stack.translate(stack.ROOT / "template.yaml", PARAMETERS)
    (table,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]
    return {key: table["Properties"][key] for key in OF_A_TABLE}


@pytest.fixture
def judges(aws: Aws) -> Iterator[Judges]:
    if reason := missing():
        pytest.skip(reason)
    with Dynalite() as dynalite:
        for url in (aws.url, dynalite.url):
            status, made = ask(url, "CreateTable", definition())
            assert status == 200, made
        yield Judges((aws.url, dynalite.url))


def test_moto_and_dynalite_answer_alike(played: Live, judges: Judges) -> None:
    calls = [call for call in played.faults.calls if call.service == "dynamodb" and call.operation in PLAYED]
    paged: Counter[str] = Counter()
    asked = [(call.operation, call.json()) for call in calls]
    for operation, members in asked:
        answer = judges.ask(operation, members)
        if operation == "PutItem":
            again(judges, members)
        kind = kind_of(operation, members)
        if len(answer.get("Items", [])) > 1 and paged[kind] < PAGED:
            paged[kind] += 1
            for limit in (1, 2):
                assert judges.pages(members, limit) > 1
    put = next(members for name, members in asked if name == "PutItem" and "ReturnValues" in members)
    query = next(members for name, members in asked if name == "Query" and "IndexName" not in members)
    large(judges, put, query)

    for kind, outcomes in sorted(judges.answers.items()):
        print(f"{outcomes.total():6} {kind}: {dict(outcomes)}")
    print(
        f"{judges.asked} questions, {len(judges.differ)} answered differently, {judges.foreseen} ends foreseen by moto"
    )
    assert not judges.differ, "\n".join(judges.differ[:3])
    assert judges.foreseen < judges.asked / 10
    is_complete(judges.answers)


def again(judges: Judges, put: dict) -> None:
    """The same put once more; and where it asks whether something has expired, when everything has."""
    judges.ask("PutItem", put)
    values = put.get("ExpressionAttributeValues", {})
    if ":now" in values:
        judges.ask("PutItem", put | {"ExpressionAttributeValues": values | {":now": {"N": LATER}}})


def large(judges: Judges, put: dict, query: dict) -> None:
    """More than the megabyte that a page of a query holds, forward and backward."""
    for number in range(6):
        item = put["Item"] | {"pk": {"S": "large"}, "sk": {"S": f"a{number}"}, "text": {"S": "x" * 300_000}}
        judges.ask("PutItem", put | {"Item": item})
    values = {":pk": {"S": "large"}, ":from": {"S": "a1"}, ":to": {"S": "a5"}}
    for forward in (True, False):
        asked = query | {"ExpressionAttributeValues": values, "ScanIndexForward": forward}
        judges.whole(asked)


def is_complete(answers: dict[str, Counter[str]]) -> None:
    """Each kind of question was asked, and answered in each way that it can be."""
    failed = "ConditionalCheckFailedException"
    plain = {kind: set(outcomes) for kind, outcomes in answers.items() if not kind.startswith("a page of ")}

    def ways(*parts: str) -> list[set[str]]:
        return [outcomes for kind, outcomes in plain.items() if all(part in kind for part in parts)]

    assert ways("PutItem", '"ReturnValues": "ALL_OLD"') == [{"something", "nothing"}]
    assert ways("PutItem", "attribute_not_exists") == [{"nothing", failed}]
    assert ways("PutItem", "= :seen") == [{"nothing", failed}]
    assert ways("GetItem", '"ConsistentRead": true') == [{"something", "nothing"}]
    assert ways("Query", '"IndexName"') == [{"something", "nothing"}]
    assert {"something", "nothing"} in ways("Query", "BETWEEN", '"Limit"', '"ScanIndexForward": true')
    assert ways("Query", "BETWEEN", '"Limit"', '"ScanIndexForward": false'), "backwards"
    assert len([kind for kind in answers if kind.startswith("a page of ")]) >= 2
