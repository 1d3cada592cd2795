"""Bytes that a good client does not send, and the aws-chunked forms that Debian's boto3 does not make over http."""

import base64
import os
import socket
import time
import unittest
import zlib

from blackbox import suite
from shared import BucketCase


class Raw(BucketCase):
    def exchange(self, method, target, headers=(), body=b"", host=None):
        """The status and the whole answer of one request on a connection of its own."""
        port = int(suite.current().url.rsplit(":", 1)[1])
        head = f"{method} {target} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\nConnection: close\r\n"
        for name, value in headers:
            head += f"{name}: {value}\r\n"
        if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
            head += f"Content-Length: {len(body)}\r\n"
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            try:
                connection.sendall(head.encode() + b"\r\n" + body)
            except (BrokenPipeError, ConnectionResetError):
                pass
            received = b""
            while True:
                try:
                    more = connection.recv(65536)
                except ConnectionResetError:
                    break
                if not more:
                    break
                received += more
        return (int(received.split(b" ", 2)[1]) if received else 0), received

    def chunked(self, pieces, trailer=b""):
        framed = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces)
        return framed + b"0\r\n" + trailer + b"\r\n"

    def put_chunked(self, pieces, trailer=None, word="STREAMING-UNSIGNED-PAYLOAD-TRAILER", decoded=None, more=(), body=None):
        whole = b"".join(pieces)
        headers = [("x-amz-content-sha256", word), ("Content-Encoding", "aws-chunked"),
                   ("x-amz-decoded-content-length", len(whole) if decoded is None else decoded), *more]
        if trailer is not None:
            headers.append(("x-amz-trailer", "x-amz-checksum-crc32"))
            trailer = b"x-amz-checksum-crc32:" + trailer + b"\r\n"
        return self.exchange("PUT", f"/{self.bucket}/chunked", headers, body or self.chunked(pieces, trailer or b""))

    def test_aws_chunked(self):
        for size in (0, 10, 70_000, 3_000_000):
            whole = os.urandom(size)
            pieces = [whole[at:at + 65536] for at in range(0, size, 65536)]
            crc = base64.b64encode(zlib.crc32(whole).to_bytes(4, "big"))
            with self.subTest(size):
                status, answer = self.put_chunked(pieces, crc)
                self.assertEqual(status, 200, answer)
                self.assertIn(b"x-amz-checksum-crc32: " + crc, answer)
                got = self.get("chunked")
                self.assertEqual(got["Body"].read(), whole)
                self.assertNotIn("ContentEncoding", got)

    def test_signed_chunks_without_keys_are_taken(self):
        body = b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n0;chunk-signature=" + b"0" * 64 + b"\r\n\r\n"
        status, answer = self.put_chunked([b"hello"], word="STREAMING-AWS4-HMAC-SHA256-PAYLOAD", body=body)
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.body("chunked"), b"hello")

    def test_bad_chunks(self):
        large = [b"z" * 65536] * 10
        for name, status_wanted, more in (
                ("wrong checksum", 400, dict(pieces=[b"hello"], trailer=b"AAAAAA==")),
                ("wrong checksum, large", 400, dict(pieces=large, trailer=b"AAAAAA==")),
                ("no trailer", 400, dict(pieces=[b"hello"], trailer=None, more=[("x-amz-trailer", "x-amz-checksum-crc32")])),
                ("too short", 400, dict(pieces=[b"hello"], decoded=6)),
                ("too long", 400, dict(pieces=[b"hello"], decoded=4)),
                ("too long, large", 400, dict(pieces=large, decoded=70_000)),
                ("no size", 400, dict(pieces=[b"hello"], body=b"xyz\r\nhello\r\n0\r\n\r\n")),
                ("a long line", 400, dict(pieces=[b"hello"], body=b"5" * 5000)),
                ("no end", 400, dict(pieces=[b"hello"], body=b"5\r\nhello\r\n")),
                ("behind the end", 400, dict(pieces=[b"hello"], body=b"5\r\nhello\r\n0\r\n\r\nmore")),
                ("no length", 411, dict(pieces=[b"hello"], decoded="")),
                ("another form", 501, dict(pieces=[b"hello"], word="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"))):
            with self.subTest(name):
                status, answer = self.put_chunked(**more)
                self.assertEqual(status, status_wanted, answer)
        self.refused("NoSuchKey", self.get, "chunked")

    def test_sha256_is_compared(self):
        for body in (b"small", b"large" * 100_000):
            status, answer = self.exchange("PUT", f"/{self.bucket}/k", [("x-amz-content-sha256", "0" * 64)], body)
            self.assertEqual(status, 400)
            self.assertIn(b"XAmzContentSHA256Mismatch", answer)

    def test_http_chunked_body_of_unknown_length(self):
        body = os.urandom(200_000)
        framed = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 9999]), body[at:at + 9999]) for at in range(0, len(body), 9999))
        status, answer = self.exchange("PUT", f"/{self.bucket}/k", [("Transfer-Encoding", "chunked")], framed + b"0\r\n\r\n")
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.body("k"), body)

    def test_a_body_that_ends_early_leaves_nothing(self):
        port = int(suite.current().url.rsplit(":", 1)[1])
        bodies = os.path.join(suite.current().require_pawl().data, "buckets", "bodies")
        count = lambda: sum(len(files) for _, _, files in os.walk(bodies))
        before = count()
        connection = socket.create_connection(("127.0.0.1", port), 30)
        connection.sendall(f"PUT /{self.bucket}/half HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n\r\n".encode() + b"h" * 4_000_000)
        deadline = time.monotonic() + 120
        while count() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(count(), before + 1)
        connection.close()
        while count() != before and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(count(), before)
        self.refused("NoSuchKey", self.get, "half")

    def test_too_large_is_refused_before_it_comes(self):
        status, answer = self.exchange("PUT", f"/{self.bucket}/k", [("Content-Length", str(6 << 30)), ("Expect", "100-continue")])
        self.assertEqual(status, 400)
        self.assertIn(b"EntityTooLarge", answer)
        status, answer = self.exchange("POST", f"/{self.bucket}?delete", [("Content-Length", str(17 << 20)), ("Content-Type", "application/xml")])
        self.assertEqual(status, 413)

    def test_bad_documents(self):
        xml = ("Content-Type", "application/xml")
        for target in (f"/{self.bucket}?delete", f"/{self.bucket}/k?uploadId={'00' * 16}"):
            for body in (b"", b"<Delete>", b"not xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>", b"<a>" * 10_000):
                status, answer = self.exchange("POST", target, [xml], body)
                self.assertEqual(status, 400, answer)
                self.assertIn(b"MalformedXML", answer)
        many = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>"
        self.assertEqual(self.exchange("POST", f"/{self.bucket}?delete", [xml], many)[0], 400)

    def test_bad_targets(self):
        for target, status in (("/%zz", 400), (f"/{self.bucket}/%ff", 400), (f"/{self.bucket}/a%00b", 400), (f"/{self.bucket}?max-keys=x", 400),
                               (f"/{self.bucket}?max-keys=-1", 400), (f"/{self.bucket}?prefix=%ff", 400), ("/A_B", 400),
                               (f"/{self.bucket}?" + "&".join("a=b" for _ in range(200)), 400)):
            with self.subTest(target[:40]):
                self.assertEqual(self.exchange("GET", target)[0], status)
        self.assertEqual(self.exchange("PATCH", f"/{self.bucket}/k")[0], 405)
        self.put("k")
        status, answer = self.exchange("GET", f"/{self.bucket}/k?response-content-type=a%0d%0aX-Evil:%201")
        self.assertEqual((status, b"X-Evil" in answer.split(b"\r\n\r\n")[0]), (400, False))

    def test_pages_of_other_sites(self):
        self.put("k", b"<script>")
        self.assertEqual(self.exchange("GET", f"/{self.bucket}/k", [("Origin", "http://evil.example")])[0], 403)
        self.assertEqual(self.exchange("GET", f"/{self.bucket}/k", host="evil.example")[0], 403)
        scope = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        self.assertEqual(self.exchange("GET", f"/{self.bucket}/k", [("Authorization", scope)], host="evil.example:8000")[0], 403)
        form = [("Content-Type", "text/plain")]
        self.assertEqual(self.exchange("POST", f"/{self.bucket}?delete", form, b"<Delete><Object><Key>k</Key></Object></Delete>")[0], 403)
        status, answer = self.exchange("GET", f"/{self.bucket}/k")
        self.assertEqual(status, 200)
        self.assertIn(b"Content-Security-Policy: sandbox", answer)

    def test_virtual_hosts_are_named(self):
        status, answer = self.exchange("GET", "/k", host=f"{self.bucket}.localhost:8000")
        self.assertEqual(status, 501)
        self.assertIn(b"virtual-host", answer)

    def test_slow_readers_hold_little(self):
        """Fifty clients that ask for 20 MB and don't read: the server's memory stays where it is."""
        pawl = suite.current().require_pawl()
        self.put("large", b"L" * 20_000_000)
        resident = lambda: int(open(f"/proc/{pawl.process.pid}/statm").read().split()[1]) * 4096
        before = resident()
        connections = []
        for _ in range(50):
            connection = socket.create_connection(("127.0.0.1", pawl.port), 30)
            connection.sendall(f"GET /{self.bucket}/large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            connections.append(connection)
        time.sleep(1)
        grown = resident() - before
        for connection in connections:
            connection.close()
        self.assertLess(grown, 64 << 20)
