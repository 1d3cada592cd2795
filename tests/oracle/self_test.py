#!/usr/bin/python3
"""Shows that the differential test can fail: DynamoDB Local against itself through a proxy.

An honest proxy must give full agreement, streams included; each lying proxy must be found, and the
shrinker must reduce its first finding to a few operations.
"""

import argparse
import json
import os
import re
import sys
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import differential
from blackbox import servers
from blackbox.proxy import Proxy

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
            proxy.change = lambda operation, body, lie=lie: lie(operation, body.decode("utf-8")).encode("utf-8")
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
