"""Broken, slow, smuggled and forged HTTP."""

import socket
import threading
import time

from blackbox.raw_http import exchange, status_of
from target import TABLE, HostileCase, address, connection, request

OVERSIZE = 17 * 1024 * 1024


class Framing(HostileCase):
    def test_two_host_headers(self):
        self.refused(request(extra=b"Host: 127.0.0.1\r\n"), {400})

    def test_no_host_header(self):
        self.refused(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", {400})

    def test_folded_header(self):
        self.refused(request(extra=b"X-Folded: one\r\n two\r\n"), {400})

    def test_odd_transfer_encodings(self):
        for value in (b"chunked, chunked", b"gzip, chunked", b"xchunked", b"chunked;q=1", b"identity", b"chunked,", b"\x0bchunked", b""):
            with self.subTest(value):
                self.refused(request(b"2\r\n{}\r\n0\r\n\r\n", length=False, extra=b"Transfer-Encoding: " + value + b"\r\n"), {400, 501})

    def test_length_and_chunked_together(self):
        for extra in (b"Transfer-Encoding: chunked\r\n", b"transfer-encoding : chunked\r\n"):
            with self.subTest(extra):
                self.refused(request(b"2\r\n{}\r\n0\r\n\r\n", length=b"2", extra=extra), {400})

    def test_odd_content_lengths(self):
        for value in (b"-1", b"+2", b"0x2", b"2 2", b"2, 2", b"99999999999999999999999", b"two", b"", b"2\r\nContent-Length: 3"):
            with self.subTest(value):
                self.refused(request(b"{}", length=value), {400, 413})

    def test_odd_request_lines(self):
        for line in (b"POST / HTTP/1.1 x", b"POST  / HTTP/1.1", b"POST /\x00 HTTP/1.1", b"POST / HTTP/9.9", b"POST /", b"\x00\x01\x02\x03",
                     b"PRI * HTTP/2.0", b"POST / FTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.subTest(line):
                self.refused(line + b"\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n", {0, 400, 505, 501})

    def test_header_bombs(self):
        self.refused(request(extra=b"".join(b"X-%d: y\r\n" % n for n in range(5000))), {0, 400, 431})
        self.refused(request(extra=b"X-Big: " + b"y" * 1_000_000 + b"\r\n"), {0, 400, 431})
        self.refused(b"POST /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400, 414, 431})
        self.refused(request(extra=b"Bad Name: y\r\n"), {400})
        self.refused(request(extra=b"X-Nul: a\x00b\r\n"), {400})

    def test_chunked_body(self):
        """Nobody's SDK sends one, but it is HTTP/1.1: either served as if it had come whole, or refused."""
        body = b"5\r\n{\"Lim\r\n7;ext=1\r\nit\": 5}\r\n0\r\n\r\n"
        received, _ = exchange(*address(), request(body, length=False, extra=b"Transfer-Encoding: chunked\r\n"))
        self.assertIn(status_of(received), (200, 411), received[:200])
        if status_of(received) == 200:
            self.assertIn(b'"TableNames"', received)

    def test_broken_chunks(self):
        for body in (b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n{}", b"2\r\n{}X\r\n0\r\n\r\n", b"\r\n\r\n"):
            with self.subTest(body):
                self.refused(request(body, length=False, extra=b"Transfer-Encoding: chunked\r\n"), {0, 400, 413})

    def test_endless_chunks(self):
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        self.refused(request(chunk * 17, length=False, extra=b"Transfer-Encoding: chunked\r\n"), {0, 400, 413})

    def test_pipelined_requests_are_answered_in_order(self):
        keys = [{"TableName": TABLE, "Key": {"id": {"S": k}}} for k in ("keepsake", "nobody")]
        import json
        one = b"".join(request(json.dumps(k).encode(), "DynamoDB_20120810.GetItem") for k in keys)
        line = connection().open()
        line.send_bytes(one * 50)
        answers = [line.receive() for _ in range(100)]
        self.assertEqual([("Item" in a.json(), a.status) for a in answers], [(True, 200), (False, 200)] * 50)


class Size(HostileCase):
    def test_a_body_that_claims_too_much(self):
        self.refused(request(b"", length=b"%d" % OVERSIZE), {413, 400})
        self.refused(request(b"", length=b"9223372036854775807"), {413, 400})

    def test_a_body_that_is_too_much(self):
        self.refused(request(b'{"a":"' + b"x" * OVERSIZE + b'"}'), {0, 413, 400})

    def test_sixteen_mebibytes_of_claim_and_no_body(self):
        held = []
        for _ in range(64):  # a gigabyte of claims must cost nothing
            line = socket.create_connection(address(), 10)
            line.sendall(request(b"", length=b"16777216"))
            held.append(line)
        self.assertEqual(connection().call("ListTables", {}).status, 200)
        for line in held:
            line.close()


class Slow(HostileCase):
    def test_half_sent_requests(self):
        whole = request(b'{"TableName":"victims","Item":{"id":{"S":"half"}}}', "DynamoDB_20120810.PutItem")
        for cut in list(range(1, len(whole), 37)) + [len(whole) - 1]:
            with socket.create_connection(address(), 10) as line:
                line.sendall(whole[:cut])
        time.sleep(0.2)
        reply = connection().call("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "half"}}})
        self.assertEqual(reply.json(), {}, "half a request was carried out")

    def test_early_disconnects(self):
        """The answer has nobody to go to; each write happened whole or not at all, at most once."""
        body = b'{"TableName":"victims","Key":{"id":{"S":"early"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}'
        for number in range(200):
            line = socket.create_connection(address(), 10)
            line.sendall(request(body, "DynamoDB_20120810.UpdateItem"))
            if number % 2:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # reset
            line.close()
        deadline = time.monotonic() + 120
        seen = 0
        while time.monotonic() < deadline:
            item = connection().call("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "early"}}}).json().get("Item", {"n": {"N": "0"}})
            if 0 < int(item["n"]["N"]) == seen:
                break
            seen = int(item["n"]["N"])
            time.sleep(0.3)
        self.assertTrue(0 < seen <= 200, seen)

    def test_slow_loris(self):
        """Two hundred connections send a byte now and then; others are served meanwhile, and they are ended."""
        lines = [socket.create_connection(address(), 10) for _ in range(200)]
        stop = threading.Event()

        def drip():
            data = request()
            for at in range(len(data) - 1):
                if stop.wait(0.5):
                    return
                for line in lines:
                    try:
                        line.send(data[at:at + 1])
                    except OSError:
                        pass

        dripper = threading.Thread(target=drip)
        dripper.start()
        try:
            worst = 0.0
            for _ in range(50):
                begun = time.monotonic()
                self.assertEqual(connection().call("ListTables", {}).status, 200)
                worst = max(worst, time.monotonic() - begun)
            self.assertLess(worst, 20.0, "slow clients slowed everybody")
            deadline = time.monotonic() + 150
            for line in lines:
                line.settimeout(max(0.1, deadline - time.monotonic()))
                try:
                    while line.recv(4096):
                        pass
                except ConnectionError:
                    pass
                except socket.timeout:
                    self.fail("a connection that never completes its header was kept for 150 s")
        finally:
            stop.set()
            dripper.join()
            for line in lines:
                line.close()

    def test_a_client_that_never_reads(self):
        """Large answers that nobody takes must not hold up the others."""
        lead = connection()
        for number in range(3):
            lead.call("PutItem", {"TableName": TABLE, "Item": {"id": {"S": f"big{number}"}, "pad": {"S": "x" * 390_000}}})
        import json
        scan = request(json.dumps({"TableName": TABLE}).encode(), "DynamoDB_20120810.Scan")
        lines = []
        for _ in range(8):
            line = socket.create_connection(address(), 10)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.setblocking(False)
            try:
                line.send(scan * 20)
            except BlockingIOError:
                pass
            lines.append(line)
        for _ in range(20):
            self.assertEqual(lead.call("ListTables", {}).status, 200)
        for line in lines:
            line.close()
        for number in range(3):
            lead.call("DeleteItem", {"TableName": TABLE, "Key": {"id": {"S": f"big{number}"}}})


class Browsers(HostileCase):
    """A web page can reach 127.0.0.1, but it can't sign: what it can send must be refused."""

    PUT = b'{"TableName":"victims","Item":{"id":{"S":"keepsake"},"n":{"N":"666"}}}'

    def put(self, **more):
        return request(self.PUT, "DynamoDB_20120810.PutItem", signed=False, **more)

    def test_foreign_origins(self):
        for origin in (b"http://evil.example", b"null", b"https://127.0.0.1.evil.example", b"http://localhost.evil.example:8000", b""):
            with self.subTest(origin):
                self.refused(self.put(extra=b"Origin: " + origin + b"\r\n"), {400, 403})

    def test_foreign_hosts(self):
        """DNS rebinding: the page's own name resolves to 127.0.0.1."""
        for host in (b"evil.example", b"127.0.0.1.evil.example", b"evil.example:8000", b"10.0.0.1", b"", b"localhost.evil.example"):
            with self.subTest(host):
                self.refused(self.put(host=host), {400, 403, 421})

    def test_content_types_of_forms(self):
        for content_type in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"text/html", b"", None):
            with self.subTest(content_type):
                self.refused(self.put(content_type=content_type), {400, 403, 415})

    def test_no_preflight_is_granted(self):
        for origin in (b"http://evil.example", b"null"):
            received, _ = exchange(*address(), b"OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: " + origin +
                                   b"\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,x-amz-target\r\n\r\n")
            self.assertNotIn(b"access-control-allow", received.lower())
            self.assertIn(status_of(received), (0, 400, 403, 404, 405), received[:200])

    def test_a_target_in_the_query_is_not_one(self):
        self.refused(b"POST /?X-Amz-Target=DynamoDB_20120810.ListTables HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
                     {400, 403, 404, 405, 415})

    def test_loopback_without_a_signature_is_served(self):
        host, port = address()
        for name in (b"127.0.0.1:%d" % port, b"localhost:%d" % port, b"localhost"):
            received, _ = exchange(host, port, request(signed=False, host=name))
            self.assertEqual(status_of(received), 200, received[:200])


class Routes(HostileCase):
    def test_unknown_targets(self):
        for target in ("DynamoDB_20120810.Nope", "DynamoDB_20120810.", "DynamoDB_20990101.GetItem", "S3.GetObject", "GetItem", "", ".", "x" * 5000,
                       "DynamoDB_20120810.getitem", "DynamoDB_20120810.GetItem "):
            with self.subTest(target[:40]):
                received, _ = exchange(*address(), request(target=target))
                if target.endswith(" "):
                    self.assertEqual(status_of(received), 400)  # white space around a value is not part of it
                    continue
                self.assertIn(status_of(received), (400, 404), received[:200])

    def test_what_is_not_there_says_so(self):
        for operation in ("CreateBackup", "ExecuteStatement", "UpdateTimeToLive", "TagResource", "CreateGlobalTable", "ExportTableToPointInTime"):
            with self.subTest(operation):
                self.error(operation, {"TableName": TABLE}, {"UnknownOperationException", "ValidationException"})

    def test_other_methods_and_paths(self):
        for method in (b"GET", b"PUT", b"DELETE", b"TRACE", b"CONNECT", b"PATCH", b"BREW"):
            with self.subTest(method):
                received, closed = exchange(*address(), request(b"", target=None, method=method))
                self.assertTrue(400 <= status_of(received) < 500 or status_of(received) in (501, 200 if method == b"GET" else 501) or closed,
                                received[:200])
        for path in (b"/../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd", b"/.pawl/tip", b"/victims", b"*", b"http://evil.example/"):
            with self.subTest(path):
                received, _ = exchange(*address(), b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                self.assertNotIn(b"root:", received)
                self.assertNotIn(b"pawl-tip", received)
