"""A second DynamoDB beside moto: dynalite, by other people, in Node. `prepare` installs it."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from aws import dies_with_us

FOLDER = Path(__file__).resolve().parents[2] / "target" / "tools" / "dynalite"
# On a free port; a table is there as soon as it is asked for.
SERVER = """
const server = require("dynalite")({ createTableMs: 0 })
server.listen(0, "127.0.0.1", () => console.log(server.address().port))
"""
# Neither of the two looks at a signature. A Region of their own: what else moto has in its account isn't touched.
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIAJUDGE/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)
VERSION = "DynamoDB_20120810"


def missing() -> str | None:
    """Why dynalite can't be asked."""
    if not shutil.which("node"):
        return "no Node is installed, so no second judge of DynamoDB's expressions"
    return None if (FOLDER / "installed").is_file() else f"{FOLDER} isn't there: tests/stack/prepare makes it"


class Dynalite:
    """dynalite while the `with` block lasts."""

    def __enter__(self) -> "Dynalite":
        command = dies_with_us(["node", "-e", SERVER])
        self._process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True, start_new_session=True)
        port = self._process.stdout.readline().strip()
        if not port:
            self.__exit__()
            raise RuntimeError("dynalite did not start")
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def ask(url: str, operation: str, members: dict) -> tuple[int, dict]:
    """The status and the answer of a call; of an error only which it is, for its words are everybody's own."""
    headers = {
        "Authorization": SIGNED,
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": "20260101T000000Z",
        "X-Amz-Target": f"{VERSION}.{operation}",
    }
    request = urllib.request.Request(url, json.dumps(members).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        kind = json.loads(error.read())["__type"]
        return error.code, {"error": kind.rsplit("#", 1)[-1]}
