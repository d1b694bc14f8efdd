"""template.yaml as CloudFormation sees it: without SAM, its conditions decided and its functions worked out.

moto does that too, but only for what it creates. Here every value is plain, so that policies, alarms and what waits for
what can be looked at without an account. What isn't understood raises.
"""

import json
import re
from functools import cache

from aws import ACCOUNT, REGION
from stack import ROOT, translate

# What `sam deploy` is asked for, and no more.
LEAST: dict[str, str] = {"AlertEmail": "oncall@example.com"}

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "handsoff",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()

# By type: the property that holds the name, and the form of the ARN.
ARNS = {
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::Events::Rule": ("Name", "events:{region}:{account}:rule/{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::S3::Bucket": ("BucketName", "s3:::{name}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
}
NAMES = {kind: key for kind, (key, _) in ARNS.items()} | {"AWS::CloudWatch::Dashboard": "DashboardName"}


class Resolved:
    """The stack that these parameters make."""

    def __init__(self, given: dict[str, str]) -> None:
        self.template = translate(ROOT / "template.yaml", given)
        self.parameters: dict[str, object] = {}
        for name, one in self.template["Parameters"].items():
            value = given.get(name, one.get("Default"))
            listed = one["Type"] == "CommaDelimitedList"
            self.parameters[name] = str(value).split(",") if listed else value
        unknown = given.keys() - self.parameters.keys()
        assert not unknown, f"no parameters of template.yaml: {sorted(unknown)}"
        raw = self.template["Resources"]
        self.raw = {name: one for name, one in raw.items() if self._holds(one.get("Condition"))}
        self.resources = {
            name: {"Type": one["Type"], "Properties": self.value(one.get("Properties", {}))}
            for name, one in self.raw.items()
        }
        assert self.resources, "a template without resources"

    def of_type(self, kind: str) -> dict[str, dict]:
        """The properties of all resources of a type, by logical ID."""
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] == kind}

    def names(self) -> set[str]:
        """What resources are called in the account."""
        return {
            one["Properties"][NAMES[one["Type"]]] for one in self.resources.values() if one["Type"] in NAMES
        }

    def arn(self, logical: str) -> str:
        """A resource's ARN."""
        kind = self.raw[logical]["Type"]
        key, form = ARNS[kind]
        name = self.value(self.raw[logical]["Properties"][key])
        return "arn:aws:" + form.format(region=REGION, account=ACCOUNT, name=name)

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.value(self.template["Conditions"][condition]))

    def value(self, of: object) -> object:
        """A value of the template, worked out."""
        if isinstance(of, list):
            found = [self.value(one) for one in of]
            return [one for one in found if one is not NO_VALUE]
        if not isinstance(of, dict):
            return of
        if len(of) == 1:
            ((name, argument),) = of.items()
            if name in FUNCTIONS:
                return FUNCTIONS[name](self, argument)
            if name == "Condition" and isinstance(argument, str):
                return self._holds(argument)
            if name.startswith("Fn::"):
                raise NotImplementedError(name)
        found = {key: self.value(one) for key, one in of.items()}
        return {key: one for key, one in found.items() if one is not NO_VALUE}

    def _ref(self, name: str) -> object:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        one = self.raw[name]
        kind, properties = one["Type"], one.get("Properties", {})
        if kind == "AWS::SNS::Topic":
            return self.arn(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.value(properties['QueueName'])}"
        return self.value(properties[NAMES[kind]]) if kind in NAMES else f"<{name}>"

    def _attribute(self, of: list[str] | str) -> str:
        name, attribute = of if isinstance(of, list) else of.split(".", 1)
        kind = self.raw[name]["Type"]
        if attribute == "Arn":
            return self.arn(name)
        if attribute in NAMES.get(kind, ""):
            return str(self.value(self.raw[name]["Properties"][attribute]))
        raise NotImplementedError(f"{name}.{attribute}")

    def _sub(self, of: list | str) -> str:
        text, own = of if isinstance(of, list) else (of, {})
        own = self.value(own)

        def one(found: re.Match) -> str:
            name = found[1]
            if name in own:
                return str(own[name])
            return str(self._attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^!][^}]*)\}", one, text)

    def _if(self, of: list) -> object:
        condition, then, otherwise = of
        return self.value(then if self._holds(condition) else otherwise)


FUNCTIONS = {
    "Ref": Resolved._ref,
    "Fn::GetAtt": Resolved._attribute,
    "Fn::Sub": Resolved._sub,
    "Fn::If": Resolved._if,
    "Fn::Join": lambda self, of: of[0].join(str(one) for one in self.value(of[1])),
    "Fn::Select": lambda self, of: self.value(of[1])[int(of[0])],
    "Fn::Split": lambda self, of: str(self.value(of[1])).split(of[0]),
    "Fn::Equals": lambda self, of: str(self.value(of[0])) == str(self.value(of[1])),
    "Fn::Not": lambda self, of: not self.value(of[0]),
    "Fn::And": lambda self, of: all(self.value(of)),
    "Fn::Or": lambda self, of: any(self.value(of)),
}


@cache
def _resolved(given: str) -> Resolved:
    return Resolved(json.loads(given))


def resolved(**given: str) -> Resolved:
    """The stack of the least that is asked for, and what is given."""
    return _resolved(json.dumps(LEAST | given, sort_keys=True))
