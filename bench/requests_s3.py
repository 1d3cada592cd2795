"""Prepares PutObject requests for wrk: each signed with Signature Version 4, the same bytes for every server."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from pathlib import Path

from requests_dynamodb import REGION

# What s3rver knows; Pawl takes any where none are configured.
ACCESS_KEY = SECRET_KEY = "S3RVER"
BUCKET = "bench"
OBJECTS = 10_000
BODY = b"{" + b"x" * 118 + b"}"


def signing_key(day: str) -> bytes:
    key = ("AWS4" + SECRET_KEY).encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def put_text(port: int, path: str, body: bytes, now: datetime.datetime) -> bytes:
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"content-type": "application/json", "host": f"127.0.0.1:{port}", "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(signed)
    canonical = "\n".join(["PUT", path, "", *(f"{name}:{value}" for name, value in signed.items()), "", names, digest])
    scope = f"{day}/{REGION}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(signing_key(day), to_sign.encode(), hashlib.sha256).hexdigest()
    lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.items()),
             f"authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}",
             f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def write_puts(path: Path, port: int) -> None:
    """Names as the article's function gives them: a thousand items, ten versions each."""
    now = datetime.datetime.now(datetime.timezone.utc)
    with path.open("wb") as out:
        for index in range(OBJECTS):
            text = put_text(port, f"/{BUCKET}/logs/A{index // 10:06d}-{index % 10}.log", BODY, now)
            out.write(b"%d\n%b\n" % (len(text), text))
