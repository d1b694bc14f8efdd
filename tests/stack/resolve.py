"""What a template says once its references are resolved, in all that its conditions leave open.

`Fn::If` stands for both of its branches: whatever may be deployed is looked at, and no condition is worked out.
"""

import json
import re
from collections.abc import Iterator
from itertools import product

from authorization import Statement
from aws import ACCOUNT, REGION

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/handsoff/1",
    "AWS::StackName": "handsoff",
    "AWS::URLSuffix": "amazonaws.com",
}
# By type the ARN, and the property with the name; a resource that leaves that out has its logical ID.
ARNS = {
    "AWS::CloudWatch::Alarm": ("arn:aws:cloudwatch:{region}:{account}:alarm:{name}", "AlarmName"),
    "AWS::DynamoDB::Table": ("arn:aws:dynamodb:{region}:{account}:table/{name}", "TableName"),
    "AWS::Events::Rule": ("arn:aws:events:{region}:{account}:rule/{name}", "Name"),
    "AWS::IAM::Role": ("arn:aws:iam::{account}:role/{name}", "RoleName"),
    "AWS::KMS::Key": ("arn:aws:kms:{region}:{account}:key/00000000-0000-4000-8000-000000000000", ""),
    "AWS::Lambda::Function": ("arn:aws:lambda:{region}:{account}:function:{name}", "FunctionName"),
    "AWS::Logs::LogGroup": ("arn:aws:logs:{region}:{account}:log-group:{name}:*", "LogGroupName"),
    "AWS::S3::Bucket": ("arn:aws:s3:::{name}", "BucketName"),
    "AWS::SNS::Topic": ("arn:aws:sns:{region}:{account}:{name}", "TopicName"),
    "AWS::SQS::Queue": ("arn:aws:sqs:{region}:{account}:{name}", "QueueName"),
}
REFERRED_BY_ARN = {"AWS::SNS::Topic"}


class Resolver:
    """A translated template with values for its parameters; those that it doesn't get have their defaults."""

    def __init__(self, template: dict, parameters: dict[str, str]) -> None:
        self.template, self.parameters = template, parameters

    def texts(self, value: object) -> list[str]:
        """All that a value may be, as text."""
        match value:
            case str() | int():
                return [str(value)]
            case list():
                return [text for one in value for text in self.texts(one)]
            case {"Ref": name}:
                return self._reference(name)
            case {"Fn::If": [_, yes, no]}:
                return self.texts(yes) + self.texts(no)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return [self._arn(name)]
            case {"Fn::Join": [between, parts]}:
                return self._joined(between, parts)
            case {"Fn::Sub": [text, variables]}:
                return self._substituted(text, variables)
            case {"Fn::Sub": text}:
                return self._substituted(text, {})
        raise NotImplementedError(f"{value} in a template: decide in resolve.py")

    def _reference(self, name: str) -> list[str]:
        if name == "AWS::NoValue":
            return []
        if name in PSEUDO:
            return [PSEUDO[name]]
        if name in self.template.get("Parameters", {}):
            given = self.parameters.get(name, self.template["Parameters"][name].get("Default"))
            if given in (None, ""):
                raise NotImplementedError(f"give the parameter {name} a value: a policy is about it")
            return str(given).split(",") if "List" in self.template["Parameters"][name]["Type"] else [str(given)]
        resource = self.template["Resources"][name]
        if resource["Type"] in REFERRED_BY_ARN:
            return [self._arn(name)]
        return [self._name(name)]

    def _name(self, name: str) -> str:
        resource = self.template["Resources"][name]
        _, key = ARNS.get(resource["Type"], ("", ""))
        (found,) = self.texts(resource.get("Properties", {}).get(key, name))
        return found

    def _arn(self, name: str) -> str:
        kind = self.template["Resources"][name]["Type"]
        if kind not in ARNS:
            raise NotImplementedError(f"{name}: what ARNs of {kind} look like isn't in resolve.py")
        return ARNS[kind][0].format(region=REGION, account=ACCOUNT, name=self._name(name))

    def _joined(self, between: str, parts: object) -> list[str]:
        """A list that is a parameter's goes into the text as a whole; of a condition's branches one does."""
        if not isinstance(parts, list):
            return [between.join(self.texts(parts))]
        choices = [
            self.texts(one) if isinstance(one, dict) and "Fn::If" in one else [between.join(self.texts(one))]
            for one in parts
        ]
        return [between.join(one) for one in product(*choices)]

    def _substituted(self, text: str, variables: dict) -> list[str]:
        parts = re.split(r"\$\{([\w:.]+)\}", text)
        for number in range(1, len(parts), 2):
            name, _, attribute = parts[number].partition(".")
            if parts[number] in variables:
                parts[number] = self.texts(variables[parts[number]])
            else:
                parts[number] = self.texts({"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name})
        return ["".join(one) for one in product(*([part] if isinstance(part, str) else part for part in parts))]

    def statements(self) -> Iterator[Statement]:
        """Every statement of every policy, whatever kind of resource has it."""
        for name, resource in self.template["Resources"].items():
            properties = resource.get("Properties", {})
            for found in _in(properties):
                yield self._statement(f"{name} {found.get('Sid', '')}".strip(), found)
            if resource["Type"] == "AWS::Lambda::Permission":
                yield Statement(name, self.texts(properties["Action"]), None)

    def _statement(self, where: str, found: dict) -> Statement:
        if odd := {"NotAction", "NotResource", "NotPrincipal"} & found.keys():
            raise NotImplementedError(f"{where}: {odd} in a policy")
        conditions = [(operator, key) for operator, keys in found.get("Condition", {}).items() for key in keys]
        resources = self.texts(found["Resource"]) if "Resource" in found else None
        return Statement(where, self.texts(found["Action"]), resources, conditions)


def _in(value: object) -> Iterator[dict]:
    match value:
        case {"Effect": _}:
            yield value
        case dict():
            for one in value.values():
                yield from _in(one)
        case list():
            for one in value:
                yield from _in(one)


def count(template: dict) -> int:
    """How many statements a text search finds."""
    return len(re.findall(r'"Effect": ', json.dumps(template["Resources"])))
