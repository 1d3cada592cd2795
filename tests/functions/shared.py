"""What the tests of this folder share."""

import io
import json
import os
import urllib.error
import urllib.request
import uuid
import zipfile

import boto3
from botocore.config import Config

from blackbox import suite
from blackbox.client_case import ClientCase as Case, wait_until  # noqa: F401

ROLE = "arn:aws:iam::000000000000:role/x"


def client(service="lambda", url=None, **config):
    return boto3.session.Session().client(service, endpoint_url=url or suite.current().url,
                        config=Config(retries={"max_attempts": 0}, read_timeout=120, **config))


def fresh(prefix="f"):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def zipped(files, executable=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name in executable else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def create(code, runtime="python3.11", handler="handler.lambda_handler", name=None, url=None, **more):
    """`code` is a Python module, files by name, or a zip file."""
    name = name or fresh()
    if isinstance(code, str):
        code = {"handler.py": code}
    if isinstance(code, dict):
        code = zipped(code, executable=("bootstrap",))
    client(url=url).create_function(FunctionName=name, Runtime=runtime, Role=ROLE, Handler=handler, Code={"ZipFile": code}, **more)
    return name


def is_dead(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return " Z " in file.read()
    except OSError:
        return True


class Gate:
    """What functions wait for: a file that they look for. Their code begins with `wait`, and their event is `path`."""

    wait = "import os, time\ndef wait(path):\n    while not os.path.exists(path): time.sleep(0.01)\n"

    def __init__(self):
        directory = suite.current().cleanup.directory()
        os.chmod(directory, 0o755)  # they have a user of their own
        self.path = os.path.join(directory, "open")

    def open(self):
        with open(self.path, "w", encoding="utf-8"):
            pass


class Invoked:
    def __init__(self, answer):
        self.status = answer["StatusCode"]
        self.error = answer.get("FunctionError")
        self.bytes = answer["Payload"].read()
        self.log = answer.get("LogResult")
        self.id = answer["ResponseMetadata"]["RequestId"]

    @property
    def payload(self):
        return json.loads(self.bytes)


def invoke(name, event=None, url=None, **more):
    return Invoked(client(url=url).invoke(FunctionName=name, Payload=json.dumps(event if event is not None else {}), **more))


def logs(name, url=None, query=""):
    """Every line that is kept."""
    lines, after = [], 0
    while True:
        with urllib.request.urlopen(f"{url or suite.current().url}/pawl/functions/{name}/logs?after={after}{query}") as answer:
            page = json.loads(answer.read())
        lines += page["lines"]
        after = page["next"]
        if not page["more"]:
            return lines


def texts(name, **more):
    return [line["text"] for line in logs(name, **more)]


def http(method, path, body=None, headers=None, url=None):
    request = urllib.request.Request((url or suite.current().url) + path, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers
