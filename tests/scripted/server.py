"""The scripted server as a child process, its control API, and clients of it. For the tests of anything that talks to AWS."""

import hashlib
import http.client
import json
import os
import signal
import subprocess

import boto3
from blackbox import suite
from botocore.config import Config

SIGNATURE = "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


class ScriptedAws:
    """Started at once, on a free port; `stop` ends it. Its binary stands beside `pawl`."""

    def __init__(self, binary, *options):
        path = os.path.join(os.path.dirname(os.path.abspath(binary)), "pawl_scripted_aws")
        self.process = subprocess.Popen([path, "--port", "0", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise RuntimeError(f"pawl_scripted_aws did not start: {line!r}, status {self.process.wait()}")
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(120)
        self.process.stdout.close()
        return status

    def request(self, method, path, body=b"", headers=None, timeout_s=120):
        """Status, headers and body of one raw request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def control(self, what, /, **body):
        """POST /_control/WHAT; returns its answer, or raises ValueError with what the server says."""
        return self._asked(self.request("POST", f"/_control/{what}", json.dumps(body).encode()))

    def asked(self, what):
        """GET /_control/WHAT."""
        return self._asked(self.request("GET", f"/_control/{what}"))

    @staticmethod
    def _asked(answer):
        status, _, body = answer
        document = json.loads(body)
        if status != 200:
            raise ValueError(document["message"])
        return document

    def client(self, service, key="test", attempts=1):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=key,
                            aws_secret_access_key="secret",
                            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"},
                                          s3={"addressing_style": "path"}))

    def put(self, bucket, key, body=b"x", key_id="test", **headers):
        """A PUT with headers that Debian's boto3 doesn't know: if_none_match="*", if_match=etag."""
        sent = {"Authorization": SIGNATURE.format(key_id), "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("PUT", f"/{bucket}/{key}", body, sent)


def started(*options):
    """A server for this test."""
    context = suite.current()
    return context.cleanup.add(ScriptedAws(context.require_binary(), *options))


def code_of(body):
    """The <Code> of an S3 error."""
    return body.decode().split("<Code>")[1].split("</Code>")[0]


def code(error):
    """The code of a botocore ClientError."""
    return error.response["Error"]["Code"]
