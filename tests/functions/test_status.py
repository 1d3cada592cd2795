"""What `pawl status`, /status and /metrics say of functions."""

import json
import unittest

from blackbox import suite
from shared import Case, client, create, fresh, http, invoke, wait_until

HANDLER = """
import os, time
def lambda_handler(event, context):
    if event == "raise":
        raise ValueError("on purpose: ü")
    if event == "exit":
        os._exit(3)
    if event == "sleep":
        time.sleep(600)
    return event
"""


def figures(name):
    status, body, _ = http("GET", "/status")
    assert status == 200
    return next((f for f in json.loads(body)["functions"] if f["function"] == name), None)


def metric(line):
    """The value of a metric with its labels, as an integer; nothing if it is not there."""
    for found in http("GET", "/metrics")[1].decode().splitlines():
        if found.startswith(line + " "):
            return int(found.rpartition(" ")[2])
    return None


class Status(Case):
    def setUp(self):
        # The first 100 by name have figures of their own: before those that other tests have made.
        self.name = create(HANDLER, name=fresh("A-status"), Timeout=2)
        self.addCleanup(lambda: client().delete_function(FunctionName=self.name) if figures(self.name) else None)

    def test_a_function_that_was_never_called(self):
        found = figures(self.name)
        self.assertEqual(set(found["ended"].values()), {0})
        self.assertEqual(set(found["processes"].values()), {0})
        self.assertNotIn("last_failure", found)

    def test_calls_are_counted_by_outcome(self):
        for event in (1, 2, "raise", "exit", "sleep"):
            invoke(self.name, event)
        found = figures(self.name)
        self.assertEqual(found["ended"], {"returned": 2, "failed": 1, "timed_out": 1, "exited": 1, "throttled": 0, "not_run": 0})
        self.assertEqual(found["durations"]["calls"], 5)
        self.assertGreaterEqual(found["durations"]["total_ms"], 2000, "one was at its time-out")
        self.assertEqual(found["last_failure"]["outcome"], "timed_out")
        self.assertIn("Task timed out after 2.00 seconds", found["last_failure"]["why"])
        invoke(self.name, "raise")
        self.assertIn("on purpose: ", figures(self.name)["last_failure"]["why"])
        label = f'function="{self.name}"'
        self.assertEqual(metric(f'pawl_function_invocations_total{{{label},outcome="returned"}}'), 2)
        self.assertEqual(metric(f'pawl_function_invocations_total{{{label},outcome="failed"}}'), 2)
        self.assertEqual(metric(f'pawl_function_duration_milliseconds_bucket{{{label},le="+Inf"}}'), 6)
        self.assertEqual(metric(f'pawl_function_duration_milliseconds_count{{{label}}}'), 6)
        self.assertLess(metric(f'pawl_function_duration_milliseconds_bucket{{{label},le="500"}}'), 6)

    def test_a_throttle_is_no_failure(self):
        client().put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=0)
        self.refused("TooManyRequestsException", client().invoke, FunctionName=self.name)
        found = figures(self.name)
        self.assertEqual(found["ended"]["throttled"], 1)
        self.assertNotIn("last_failure", found)

    def test_what_waits_and_what_runs(self):
        client().put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=1)
        client().update_function_configuration(FunctionName=self.name, Timeout=300)
        for _ in range(2):
            client().invoke(FunctionName=self.name, InvocationType="Event", Payload=b'"sleep"')
        wait_until(lambda: (figures(self.name)["calls"]["under_way"], figures(self.name)["processes"]["busy"]) == (1, 1), what="the call")
        found = figures(self.name)
        self.assertEqual((found["processes"]["busy"], found["events"]["waiting"]), (1, 2))
        self.assertEqual(metric(f'pawl_function_events{{function="{self.name}"}}'), 2)
        client().delete_function(FunctionName=self.name)
        self.assertIsNone(figures(self.name), "it is gone from the status with its function")

    def test_the_terminal_names_what_fails(self):
        pawl = suite.current().require_pawl()
        invoke(self.name, 1)
        self.assertNotIn(f"function {self.name}:", pawl.run("status", "--endpoint", pawl.url).stdout)
        invoke(self.name, "raise")
        done = pawl.run("status", "--endpoint", pawl.url)
        line = next(line for line in done.stdout.splitlines() if line.startswith(f"function {self.name}:"))
        self.assertIn("1 failed; last failure 20", line)
        self.assertIn("on purpose", line)


if __name__ == "__main__":
    unittest.main()
