#!/usr/bin/python3
"""Shows that the differential test can fail: DynamoDB Local against itself through a proxy.

An honest proxy must give full agreement, streams included; each lying proxy must be found, and the
shrinker must reduce its first finding to a few operations.
"""

import argparse
import json
import os
import re
import socket
import sys
import threading
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import differential
from blackbox import servers
from blackbox.raw_http import Connection

# name -> what is done to an answer's text, given the operation's name
LIES = {
    "honest": lambda op, text: text,
    "a number off by one": lambda op, text: re.sub(r'"n":\{"N":"5"\}', '"n":{"N":"6"}', text),
    "a query backwards": lambda op, text: _backwards(text) if op == "Query" else text,
    "another exception": lambda op, text: text.replace("ConditionalCheckFailed", "ValidationFailed"),
    "an attribute lost": lambda op, text: _without(text, "Attributes") if op == "UpdateItem" else text,
    "a count wrong": lambda op, text: text.replace('"ScannedCount":1', '"ScannedCount":2') if op == "Scan" else text,
    "a page too many": lambda op, text: _without(text, "LastEvaluatedKey") if op == "Query" else text,
}


def _backwards(text):
    document = json.loads(text)
    if "Items" in document:
        document["Items"].reverse()
    return json.dumps(document)


def _without(text, name):
    document = json.loads(text)
    document.pop(name, None)
    return json.dumps(document)


class Proxy:
    """Forwards whole requests to `port` and rewrites the answers with `lie`."""

    def __init__(self, port):
        self.port, self.lie = port, LIES["honest"]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        file, server = client.makefile("rb", 65536), Connection("127.0.0.1", self.port)
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = file.readline()
                if not line:
                    return
                head += line
            size = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
            target = re.search(rb"x-amz-target: (\S*)", head, re.I).group(1).decode()
            server.send_bytes(head + file.read(size))
            reply = server.receive()
            body = self.lie(target.rsplit(".", 1)[-1], reply.body.decode("utf-8")).encode("utf-8")
            client.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (reply.status, len(body)) + body)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", type=int, default=8110)
    parser.add_argument("--operations", type=int, default=800)
    options = parser.parse_args()
    passed = failed = 0
    with servers.Cleanup() as cleanup:
        local = cleanup.add(servers.DynamoDbLocal(options.ports))
        twin = cleanup.add(servers.DynamoDbLocal(options.ports + 10))
        proxy = Proxy(twin.port)
        for name, lie in LIES.items():
            proxy.lie = lie
            run = types.SimpleNamespace(left=local.url, right=proxy.url, archive=None, compare_streams=True, seed=3, workers=1,
                                        operations=options.operations, run_name=f"self{os.getpid()}-{passed + failed}")
            started = time.monotonic()
            good, text = judge(name, run)
            passed, failed = passed + good, failed + (not good)
            print(f"{'ok  ' if good else 'FAIL'} {name}: {text} ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def judge(name, run):
    total = differential.run_workers(run)
    different = total.operations - total.agreed
    if name == "honest":
        records, problems = differential.compare_streams(total, None)
        return different == 0 and not problems and records > 20, f"{different} differences, {records} stream records equal"
    if not total.findings:
        return False, "was not found"
    signature, (_, example) = next(iter(total.findings.items()))
    left, right = differential.endpoints(run)
    script = differential.shrink_finding(run, left, right, signature, example)
    length = len(script["operations"])
    return "note" not in script and length <= 4, f"{different} differences, the first one shrunk to {length} operations"


if __name__ == "__main__":
    sys.exit(main())
