"""Bodies whose chunks are signed, against a server that knows the key: each chunk counts, and the trailer."""

import base64
import datetime
import hashlib
import hmac
import os
import unittest
import urllib.error
import urllib.request
import zlib

from blackbox import servers, suite
from shared import BucketCase, client, fresh
from test_objects import CONFIGURED

KEY, SECRET, REGION = "AKIAPAWL", "not a secret", "us-east-1"
EMPTY = hashlib.sha256(b"").hexdigest()


class Signer:
    """Signature Version 4, as the S3 reference tells it for chunks."""

    def __init__(self, when=None):
        now = when or datetime.datetime.now(datetime.timezone.utc)
        self.stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        self.scope = f"{day}/{REGION}/s3/aws4_request"
        self.key = ("AWS4" + SECRET).encode()
        for part in self.scope.split("/"):
            self.key = hmac.new(self.key, part.encode(), hashlib.sha256).digest()

    def sign(self, text):
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def head(self, path, headers):
        names = ";".join(sorted(headers))
        canonical = "\n".join(["PUT", path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, headers["x-amz-content-sha256"]])
        return names, self.sign("\n".join(["AWS4-HMAC-SHA256", self.stamp, self.scope, hashlib.sha256(canonical.encode()).hexdigest()]))

    def chunk(self, previous, data):
        return self.sign("\n".join(["AWS4-HMAC-SHA256-PAYLOAD", self.stamp, self.scope, previous, EMPTY, hashlib.sha256(data).hexdigest()]))

    def trailer(self, previous, text):
        return self.sign("\n".join(["AWS4-HMAC-SHA256-TRAILER", self.stamp, self.scope, previous, hashlib.sha256(text).hexdigest()]))


class SignedChunks(unittest.TestCase):
    refused = BucketCase.refused

    @classmethod
    def setUpClass(cls):
        context = suite.current()
        context.require_binary()
        cls.pawl = context.cleanup.add(servers.Pawl(context.binary, context.ports, context.cleanup.directory(), CONFIGURED)).start()
        cls.s3 = client(cls.pawl.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        cls.bucket = fresh()
        cls.s3.create_bucket(Bucket=cls.bucket)

    def send(self, body, trailer=False, spoil=None, when=None):
        """Puts `body` as "k" in chunks of 64 KiB; the status. `spoil`: "data", "signature", "last", "trailer", "trailer-signature"."""
        signer, path = Signer(when), f"/{self.bucket}/k"
        headers = {"host": self.pawl.url.split("//")[1], "x-amz-date": signer.stamp, "content-encoding": "aws-chunked",
                   "x-amz-decoded-content-length": str(len(body)),
                   "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")}
        if trailer:
            headers["x-amz-trailer"] = "x-amz-checksum-crc32"
        names, previous = signer.head(path, headers)
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY}/{signer.scope}, SignedHeaders={names}, Signature={previous}"
        sent = b""
        pieces = [body[at:at + 65536] for at in range(0, len(body), 65536)] + [b""]
        for number, piece in enumerate(pieces):
            previous = signer.chunk(previous, piece)
            shown = previous
            if (spoil == "signature" and number == 0) or (spoil == "last" and not piece):
                shown = "0" * 64
            if spoil == "data" and number == 0:
                piece = b"!" + piece[1:]
            sent += f"{len(piece):x};chunk-signature={shown}\r\n".encode() + piece + (b"\r\n" if piece else b"")
        if trailer:
            crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
            line = f"x-amz-checksum-crc32:{crc}\n".encode()
            signature = signer.trailer(previous, line)
            if spoil == "trailer":
                line = b"x-amz-checksum-crc32:AAAAAA==\n"
            if spoil == "trailer-signature":
                signature = "0" * 64
            sent += line[:-1] + b"\r\nx-amz-trailer-signature:" + signature.encode() + b"\r\n"
        request = urllib.request.Request(self.pawl.url + path, data=sent + b"\r\n", headers=headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.read()
            return error.code

    def test_good_ones(self):
        for size in (0, 1, 65_536, 70_000, 2_000_000):
            for trailer in (False, True):
                with self.subTest(f"{size}, trailer {trailer}"):
                    body = os.urandom(size)
                    self.assertEqual(self.send(body, trailer), 200)
                    self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key="k")["Body"].read(), body)

    def test_bad_ones_change_nothing(self):
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"kept")
        bodies = os.path.join(self.pawl.data, "buckets", "bodies")
        for size in (1000, 1_000_000):
            for spoil in ("data", "signature", "last", "trailer", "trailer-signature"):
                with self.subTest(f"{size}, {spoil}"):
                    self.assertEqual(self.send(os.urandom(size), spoil.startswith("trailer"), spoil), 403)
        hour = datetime.timedelta(hours=1)
        self.assertEqual(self.send(b"late", when=datetime.datetime.now(datetime.timezone.utc) - hour), 403)
        self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key="k")["Body"].read(), b"kept")
        self.pawl.stop()
        self.pawl.start()
        self.assertEqual(sum(len(files) for _, _, files in os.walk(bodies)), 0)
