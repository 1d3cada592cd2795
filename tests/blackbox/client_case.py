"""What suites that speak to Pawl through boto3 share."""

import time
import unittest

from botocore.exceptions import ClientError


PATIENCE_S = 120.0  # what comes at once on a quiet machine may take long on a busy one; waiting costs only what fails


class NotInTime(AssertionError):
    """What was waited for did not come."""


def wait_until(condition, timeout_s=PATIENCE_S, what="it"):
    """What the condition gives once it is true; fails if it is not within that time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise NotInTime(f"{what} did not happen within {timeout_s:.0f} s")


class ClientCase(unittest.TestCase):
    maxDiff = None

    def refused(self, code, call, *arguments, **named):
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        self.assertTrue(caught.exception.response["Error"]["Message"], "an error says what was wrong")
        return caught.exception
