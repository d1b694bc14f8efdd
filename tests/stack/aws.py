"""A real AWS API on the loopback interface: moto's server as a process of its own, and clients for it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

ACCOUNT = "111122223333"
REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "AKIAHARNESSEXAMPLE00", "aws_secret_access_key": "not-a-secret"}

# moto's server, but for eight things. EventBridge sends to topics, too. It takes one request at a time: moto checks a
# condition and writes in two steps, where AWS does it in one. It is without five habits that cost more than all the
# rest: at each request it asks the disk for its own folders; for each message received it counts all messages of the
# queue; for each query it sorts the whole table, by a key that it makes anew for each comparison (ours are strings, and
# without an index one partition is enough); for each transaction it copies each item of the table (those that an update
# changes are enough); and for each message of a queue it makes the time from a calendar. And it obeys no bucket policy:
# it would deny whatever a denial names, without a look at the conditions. `permissions.py` has one.
SERVER = """
import copy
import time

from moto import backends
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.events.models import EventTemplateParser, Rule
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sns.models import sns_backends
from moto.sqs import models as sqs_models
from moto.sqs.models import SQSBackend
from werkzeug.serving import run_simple

modules = list(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: modules
SQSBackend.is_message_valid_based_on_retention_period = lambda self, queue_name, message: True


def all_items(table):
    parts = table.items.values()
    items = [item for part in parts for item in part.values()] if table.range_key_attr else list(parts)
    return sorted(items, key=lambda item: (item.hash_key.value, item.range_key.value if item.range_key else ""))


query = Table.query


def query_of_one_part(table, hash_key, comparison, values, limit, start, forward, names, index=None, *args, **kwargs):
    if not index:
        table.all_items = lambda: list(table.items.get(hash_key, {}).values())
    try:
        return query(table, hash_key, comparison, values, limit, start, forward, names, index, *args, **kwargs)
    finally:
        table.__dict__.pop("all_items", None)


update_item = DynamoDBBackend.update_item


def update_a_copy(backend, table_name, key, *args, **kwargs):
    table = backend.get_table(table_name)
    item = table.get_item(*backend.get_keys_value(table, key))
    if item and table.range_key_attr:
        table.items[item.hash_key][item.range_key] = copy.deepcopy(item)
    elif item:
        table.items[item.hash_key] = copy.deepcopy(item)
    return update_item(backend, table_name, key, *args, **kwargs)


def copy_of_table(table, memo):
    copied = copy.copy(table)
    copied.items = copy.copy(table.items)
    if table.range_key_attr:
        copied.items.update((key, dict(part)) for key, part in table.items.items())
    return copied


to_targets = Rule.send_to_targets


def send_to_targets(rule, event, transform_input=True):
    all_targets = rule.targets
    rule.targets = [target for target in all_targets if ":sns:" not in target["Arn"]]
    try:
        to_targets(rule, event, transform_input)
    finally:
        rule.targets = all_targets
    topics = [target for target in all_targets if ":sns:" in target["Arn"]]
    if topics and rule.event_pattern.matches_event(event):
        for target in topics:
            made = target["InputTransformer"]
            text = EventTemplateParser.parse(made["InputTemplate"], made["InputPathsMap"], event)
            region, account = target["Arn"].split(":")[3:5]
            sns_backends[account][region].publish(str(text), arn=target["Arn"])


Rule.send_to_targets = send_to_targets
Table.all_items = all_items
Table.query = query_of_one_part
Table.__deepcopy__ = copy_of_table
DynamoDBBackend.update_item = update_a_copy
sqs_models.unix_time_millis = lambda: time.time() * 1000
FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
app = DomainDispatcherApplication(create_backend_app)
run_simple("127.0.0.1", 0, app, threaded=False, request_handler=MotoRequestHandler)
"""


def dies_with_us(command: list[str]) -> list[str]:
    """The command, killed by the kernel when the thread that starts it ends, also when pytest is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else command


class Aws:
    """moto_server while the `with` block lasts."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="handsoff-moto-"))
        self.process: subprocess.Popen | None = None
        self.url = ""
        self._clients: dict[str, object] = {}

    def __enter__(self) -> "Aws":
        # No event source mapping of moto's own may run functions: that would be Docker's.
        env = {
            "PATH": os.environ.get("PATH", ""),
            "MOTO_ACCOUNT_ID": ACCOUNT,
            "MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR": "false",
            "AWS_DEFAULT_REGION": REGION,
        }
        log = self.folder / "moto.log"
        command = [sys.executable, "-u", "-W", "ignore", "-c", SERVER]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                dies_with_us(command), env=env, stdout=out, stderr=out, start_new_session=True
            )
        try:
            port = self._port(log)
            self.url = f"http://127.0.0.1:{port}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def _port(self, log: Path) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = re.search(rb"Running on http://127\.0\.0\.1:(\d+)", log.read_bytes())
            if found:
                return found[1].decode()
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"moto_server did not start:\n{log.read_text()}")

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, service: str):
        """A boto3 client, one per service; boto3's clients may be used by several threads."""
        if service not in self._clients:
            config = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
            self._clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name=REGION, config=config, **KEYS
            )
        return self._clients[service]

    def reset(self) -> None:
        """Forgets everything: the account is as new."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).read()
        # Functions are stored, never run by moto.
        config = urllib.request.Request(
            f"{self.url}/moto-api/config",
            data=b'{"lambda": {"use_docker": false}}',
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        urllib.request.urlopen(config, timeout=30).read()
