"""The `aws` commands that handsoff's pages and alarms tell people to run, taken apart by the AWS CLI's own models."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import botocore.session
from botocore import xform_name

from resolved import Resolved
from stack import ROOT

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]

# The CLI's own, beside an operation's: https://docs.aws.amazon.com/cli/latest/reference/#options
GLOBAL = {"--output", "--query", "--region", "--profile", "--no-cli-pager", "--endpoint-url"}
# `aws s3` is the CLI's own: what it is called, how many places it takes, and its options.
#: What the CLI has beside the operations of the services' models: how many places, and which options.
OWN = {("logs", "tail"): (1, {"--since", "--follow", "--format"})}
S3 = {"sync": (2, {"--exclude", "--include"}), "cp": (2, {"--recursive"}), "ls": (1, {"--recursive"})}


@dataclass
class Command:
    where: str
    words: list[str]
    options: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " ".join(self.words[:2])

    def said(self) -> str:
        return f"{self.where}: aws {' '.join(self.words[:2])} {' '.join(self.options)}"

    def one(self, option: str) -> str:
        values = self.options.get(option, [])
        return values[0] if len(values) == 1 else ""


def _parse(where: str, text: str) -> Command:
    words = shlex.split(text.replace("\\\n", " "), comments=True)
    assert words[0] == "aws", text
    command, option = Command(where, []), ""
    for word in words[1:]:
        if word in ("|", ">", "&&", ";"):
            break
        if word.startswith("--"):
            option = word
            assert option not in command.options, f"{where}: {option} twice"
            command.options[option] = []
        elif option:
            command.options[option].append(word)
        else:
            command.words.append(word)
    return command


def _of_page(name: str, text: str) -> Iterator[Command]:
    """In code blocks a command begins a line and goes on as long as a quote is open; elsewhere it stands in backticks."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines()
        while lines:
            line = lines.pop(0).removeprefix("$ ")
            if not line.startswith("aws "):
                continue
            while line.count("'") % 2 and lines:
                line += "\n" + lines.pop(0)
            yield _parse(name, line)
    rest = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for inline in re.findall(r"`(aws [^`]+)`", rest):
        yield _parse(name, inline)


def of_pages() -> list[Command]:
    return [one for page in PAGES for one in _of_page(page.name, page.read_text())]


def of_alarms(stack: Resolved) -> list[Command]:
    """In an alarm's text a command ends with its last option's value: before a bracket, or a full stop on its own."""
    found = []
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        for text in re.findall(r"\baws (?:[a-z0-9-]+ ){2}[^().]*(?:\.(?! )[^().]*)*", alarm["AlarmDescription"]):
            found.append(_parse(alarm["AlarmName"], text.rstrip(" .;,")))
    return found


@cache
def _model(service: str):
    session = botocore.session.get_session()
    assert service in session.get_available_services(), f"no service `{service}`"
    return session.get_service_model(service)


def faults(command: Command) -> list[str]:
    """What the AWS CLI would refuse of a command."""
    # The CLI's own, of no service ("Sign in through the AWS CLI", AWS CLI user guide).
    if command.words == ["login"]:
        return []
    if not command.words[1:]:
        return [f"{command.said()}: service and operation are missing"]
    service, operation, *places = command.words
    if service == "s3" or (service, operation) in OWN:
        count, options = S3[operation] if service == "s3" else OWN[service, operation]
        wrong = sorted(command.options.keys() - options - GLOBAL)
        return [f"{command.said()}: {count} places"] * (len(places) != count) + [f"{command.said()}: {wrong}"] * bool(wrong)
    model = _model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        return [f"{command.said()}: {service} has no such operation"]
    shape = model.operation_model(names[operation]).input_shape
    members = {"--" + xform_name(name, "-"): name for name in (shape.members if shape else {})}
    required = {"--" + xform_name(name, "-") for name in (shape.required_members if shape else [])}
    flags = {"--no-" + one[2:] for one, name in members.items() if shape.members[name].type_name == "boolean"}
    found = []
    if places:
        found.append(f"{command.said()}: `{places[0]}` belongs to no option")
    if wrong := sorted(command.options.keys() - members.keys() - flags - GLOBAL):
        found.append(f"{command.said()}: no option {wrong}")
    if missing := sorted(required - command.options.keys()):
        found.append(f"{command.said()}: needs {missing}")
    for option, values in command.options.items():
        if option in members and not values and shape.members[members[option]].type_name != "boolean":
            found.append(f"{command.said()}: {option} has no value")
    return found
