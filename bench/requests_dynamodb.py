"""Prepares the requests that wrk replays: the DynamoDB API over HTTP/1.1, signed with Signature Version 4.

The bytes are the same for every server. A signature is good for 15 minutes, so they are made for each run.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import urllib.request
from pathlib import Path
from typing import Any

ACCESS_KEY, SECRET_KEY, REGION, SERVICE = "bench", "benchsecret", "us-east-1", "dynamodb"
ITEMS = 10_000


def key_of(index: int) -> dict[str, Any]:
    return {"hashid": {"S": f"A{index:06d}"}}


def update_body(table: str, index: int, return_values: str = "NONE") -> dict[str, Any]:
    body = {"TableName": table, "Key": key_of(index), "UpdateExpression": "ADD #v :one",
            "ExpressionAttributeNames": {"#v": "_version"}, "ExpressionAttributeValues": {":one": {"N": "1"}}}
    if return_values != "NONE":
        body["ReturnValues"] = return_values
    return body


def get_body(table: str, index: int) -> dict[str, Any]:
    return {"TableName": table, "Key": key_of(index), "ConsistentRead": True}


def signing_key(secret: str, day: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (day, REGION, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def headers_for(port: int, target: str, payload: bytes, now: datetime.datetime) -> dict[str, str]:
    """`target` is an operation of DynamoDB, or a whole X-Amz-Target."""
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    signed = {"content-type": "application/x-amz-json-1.0", "host": f"127.0.0.1:{port}", "x-amz-date": stamp,
              "x-amz-target": target if "." in target else f"DynamoDB_20120810.{target}"}
    names = ";".join(signed)
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{value}" for name, value in signed.items()), "", names,
                           hashlib.sha256(payload).hexdigest()])
    scope = f"{day}/{REGION}/{SERVICE}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(signing_key(SECRET_KEY, day, SERVICE), to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**signed, "authorization": authorization}


def http_text(port: int, target: str, body: dict[str, Any], now: datetime.datetime) -> bytes:
    payload = json.dumps(body, separators=(",", ":")).encode()
    headers = headers_for(port, target, payload, now)
    lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()),
             f"content-length: {len(payload)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def write_requests(path: Path, port: int, target: str, bodies: list[dict[str, Any]]) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    with path.open("wb") as out:
        for body in bodies:
            text = http_text(port, target, body, now)
            out.write(b"%d\n%b\n" % (len(text), text))


def call(port: int, target: str, body: dict[str, Any], timeout_s: float = 30) -> dict[str, Any]:
    """One request by Python's own HTTP client; HTTP errors are raised with the server's answer in the text."""
    payload = json.dumps(body).encode()
    headers = headers_for(port, target, payload, datetime.datetime.now(datetime.timezone.utc))
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", payload, headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{target}: HTTP {error.code}: {error.read()[:300]!r}") from error
