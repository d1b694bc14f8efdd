"""The stack of template.yaml, created in moto, and read back through the API: never from the file."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

import limits
from aws import REGION, Aws
from runtime import Spec

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "handsoff-harness-artifacts"
PACKAGED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _NoManagedPolicies:
    """The translator asks for the names of AWS's managed policies; these stand for all that may be named."""

    def load(self) -> dict[str, str]:
        return {}


def translate(template: Path, parameters: dict[str, str]) -> dict:
    """The template without SAM, as CloudFormation gets it."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    document = yaml_parse(template.read_text())
    document.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in document["Resources"].values():
        # What `sam build` and `sam package` do: the code is an object in S3.
        key = PACKAGED.get(resource["Type"])
        if key:
            resource["Properties"][key] = f"s3://{BUCKET}/{key}.zip"
    return transform(document, parameters, _NoManagedPolicies())


@dataclass
class Stack:
    aws: Aws
    name: str
    resources: dict[str, dict]  # by logical ID: PhysicalResourceId, ResourceType
    outputs: dict[str, str]
    left_out: set[str]  # "Type.Property" that moto does not know and we do not set
    opt: Path  # stands for /opt: what the layers hold

    def of_type(self, kind: str) -> list[str]:
        return [one["PhysicalResourceId"] for one in self.resources.values() if one["ResourceType"] == kind]

    def functions(self, binaries: Path) -> dict[str, Spec]:
        """Each function with the environment that the stack gave it; only the folder /opt is elsewhere."""
        found = {}
        for name in self.of_type("AWS::Lambda::Function"):
            function = self.aws.client("lambda").get_function_configuration(FunctionName=name)
            # moto leaves numbers as numbers; Lambda's variables are text.
            variables = {
                key: re.sub("^/opt(?=/)", str(self.opt), str(value))
                for key, value in function["Environment"]["Variables"].items()
            }
            found[name] = Spec(
                name=name,
                arn=function["FunctionArn"],
                memory=function["MemorySize"],
                timeout=function["Timeout"],
                environment=variables,
                binary=binaries / name,
            )
        return found

    def mappings(self) -> dict[str, dict]:
        """The event source mapping of each function."""
        got = self.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        return {mapping["FunctionArn"].rsplit(":", 1)[-1]: mapping for mapping in got}

    def queue_url(self, arn: str) -> str:
        return self.aws.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]

    def dead_letters(self, queue_url: str) -> str:
        """The dead-letter queue of a queue."""
        got = self.aws.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])
        return self.queue_url(json.loads(got["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"])

    def role_arn(self, function: str) -> str:
        return self.aws.client("lambda").get_function_configuration(FunctionName=function)["Role"]

    def bucket_statements(self) -> list[dict]:
        """What the policy of the bucket for cases says."""
        policy = self.aws.client("s3").get_bucket_policy(Bucket=self.outputs["CasesBucket"])["Policy"]
        return json.loads(policy)["Statement"]

    def role_statements(self, function: str) -> list[dict]:
        """What the function's role allows, inline policies only; names of managed ones as they are."""
        iam = self.aws.client("iam")
        role = self.role_arn(function).rsplit("/", 1)[-1]
        statements = []
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            document = json.loads(document) if isinstance(document, str) else document
            listed = document["Statement"]
            statements += listed if isinstance(listed, list) else [listed]
        return statements


def create(aws: Aws, template: dict, parameters: dict[str, str], opt: Path, name: str = "handsoff") -> Stack:
    """Creates the stack; raises when moto is given less than the template says without our knowing it."""
    s3, cloudformation = aws.client("s3"), aws.client("cloudformation")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in PACKAGED.values():
        s3.put_object(Bucket=BUCKET, Key=f"{key}.zip", Body=limits.EMPTY_ZIP)
    known = limits.adapt(template)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(known.template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    if described["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError(f"stack {described['StackStatus']}: {described.get('StackStatusReason')}")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = {one["LogicalResourceId"]: one for page in pages for one in page["StackResourceSummaries"]}
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
    limits.complete(aws, known, resources, outputs)
    missing = known.expected(outputs) - resources.keys()
    if missing:
        raise RuntimeError(f"moto did not create {sorted(missing)}")
    own = {key: value for key, value in outputs.items() if key in template.get("Outputs", {})}
    return Stack(aws, name, resources, own, known.left_out, opt)
