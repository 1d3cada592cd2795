"""Runs one folder's unittest cases against one running server, and counts.

Options every suite has: --pawl BINARY (started on a fresh directory; `pawl verify` must be clean at
the end), or --endpoint URL of a server that runs already; --ports N, the first of ten free ports;
test names to run only those. Prints a line a test and closes with 'N passed, M failed[, K skipped]'.
"""

import argparse
import os
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from . import servers


class Context:
    """What the tests of a run share. Tests read it through `current()`."""

    def __init__(self):
        self.url = self.pawl = self.binary = None
        self.ports = 8100
        self.cleanup = None

    def require_pawl(self):
        """For tests that restart the server or look at its files."""
        if self.pawl is None:
            raise unittest.SkipTest("needs --pawl: the server under test was not started here")
        return self.pawl

    def require_binary(self):
        """For tests that start servers of their own."""
        if self.binary is None:
            raise unittest.SkipTest("needs --pawl")
        return self.binary


_context = Context()


def current():
    return _context


class _Lines(unittest.TextTestResult):
    """One line a test, with its duration; failures in full at once."""

    passed = 0

    def startTest(self, test):
        unittest.TestResult.startTest(self, test)
        self.started = time.monotonic()

    def _line(self, word, test, more=""):
        seconds = time.monotonic() - getattr(self, "started", time.monotonic())
        self.stream.write(f"{word} {test.id().replace('__main__.', '')} ({seconds:.1f} s){more}\n")
        self.stream.flush()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self.passed += 1
        self._line("ok     ", test)

    def addFailure(self, test, err):
        unittest.TestResult.addFailure(self, test, err)
        self._line("FAIL   ", test, "\n" + self.failures[-1][1])

    def addError(self, test, err):
        unittest.TestResult.addError(self, test, err)
        self._line("ERROR  ", test, "\n" + self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        unittest.TestResult.addSubTest(self, test, subtest, err)
        if err is not None:
            self._line("FAIL   ", subtest, "\n" + self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        unittest.TestResult.addSkip(self, test, reason)
        self._line("SKIPPED", test, " " + reason)


def dummy_credentials():
    """What a person without an account exports."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        os.environ.pop(name, None)
    os.environ.update(AWS_ACCESS_KEY_ID="pawl", AWS_SECRET_ACCESS_KEY="pawl", AWS_DEFAULT_REGION="us-east-1",
                      AWS_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null",
                      AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_PAGER="")


def main(modules, config=None, description=None, shared=True, threads=1):
    """`shared`: whether the tests use one common server; without it each starts what it needs. With `threads`, so many tests
    run at once, and then, one by one, those whose method has `alone` set."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pawl")
    parser.add_argument("--endpoint")
    parser.add_argument("--ports", type=int, default=8100)
    parser.add_argument("names", nargs="*", help="only tests whose names contain one of these")
    options = parser.parse_args()
    if not options.pawl and not options.endpoint:
        parser.error("give --pawl BINARY or --endpoint URL")
    dummy_credentials()
    _context.url, _context.ports, _context.binary = options.endpoint, options.ports, options.pawl
    with servers.Cleanup() as cleanup:
        _context.cleanup = cleanup
        if shared and not options.endpoint:
            _context.pawl = cleanup.add(servers.Pawl(options.pawl, options.ports, cleanup.directory(), config))
            _context.pawl.start()
            _context.url = _context.pawl.url
        result = _run(modules, options.names, threads)
        passed = result.passed
        failed = len(result.failures) + len(result.errors)
        if _context.pawl:
            extra_passed, extra_failed = _verify(_context.pawl)
            passed, failed = passed + extra_passed, failed + extra_failed
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"{passed} passed, {failed} failed{skipped}", flush=True)
    return 1 if failed or not passed else 0


def alone(method):
    """Marks a test that would disturb others, or be disturbed by them."""
    method.alone = True
    return method


def _run(modules, names, threads):
    cases = unittest.TestSuite()
    for module in modules:
        for case in _flatten(unittest.defaultTestLoader.loadTestsFromModule(module)):
            if not names or any(name in case.id() for name in names):
                cases.addTest(case)
    if threads > 1:
        return _run_at_once(modules, list(cases), threads)
    result = _Lines(unittest.runner._WritelnDecorator(sys.stdout), descriptions=False, verbosity=0)
    unittest.registerResult(result)
    cases.run(result)
    return result


def _run_at_once(modules, cases, threads):
    """Fixtures of modules come first, those of a class before its first test, once each; what they made `cleanup` removes."""
    for module in modules:
        getattr(module, "setUpModule", lambda: None)()
    first_of_class = {type(case): threading.Lock() for case in cases}
    prepared = set()

    def run(case):
        result = _Lines(unittest.runner._WritelnDecorator(sys.stdout), descriptions=False, verbosity=0)
        try:
            with first_of_class[type(case)]:
                if type(case) not in prepared:
                    case.setUpClass()
                    prepared.add(type(case))
        except unittest.SkipTest as why:
            result.addSkip(case, str(why))
        except Exception:
            result.addError(case, sys.exc_info())
        else:
            case.run(result)
        return result

    by_itself = [getattr(getattr(case, case._testMethodName), "alone", False) for case in cases]
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(run, (case for case, is_alone in zip(cases, by_itself) if not is_alone)))
    results += [run(case) for case, is_alone in zip(cases, by_itself) if is_alone]
    total = _Lines(unittest.runner._WritelnDecorator(sys.stdout), descriptions=False, verbosity=0)
    for result in results:
        total.passed += result.passed
        total.failures += result.failures
        total.errors += result.errors
        total.skipped += result.skipped
    return total


def _flatten(suite):
    for member in suite:
        if isinstance(member, unittest.TestSuite):
            yield from _flatten(member)
        else:
            yield member


def _verify(pawl):
    """The server must still run, stop cleanly, and leave an archive that verifies."""
    checks = [("the server is still running", pawl.process.poll() is None, pawl.log_end()),
              ("the server stops with status 0", pawl.stop() == 0, pawl.log_end())]
    done = pawl.run("verify", pawl.archive)
    checks.append(("pawl verify finds the archive clean", done.returncode == 0, done.stdout + done.stderr))
    for text, good, log in checks:
        print(f"{'ok     ' if good else 'FAIL   '} {text}" + ("" if good else "\n" + log))
    return sum(good for _, good, _ in checks), sum(not good for _, good, _ in checks)
