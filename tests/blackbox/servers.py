"""Servers as child processes: Pawl, and DynamoDB Local. Only what a person with the binary could do."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
READY_TIMEOUT_S = 120.0  # the machine may be busy; a server that is up answers within milliseconds
STOP_TIMEOUT_S = 120.0


class StartFailed(Exception):
    """The server ended, or never answered; the text holds the end of its log."""


_given = set()
_giving = threading.Lock()


def free_port(first, count=400):
    """A port of [first, first + count) that nobody listens on now, and that this process was not given before: tests that run
    beside each other look for one at the same time."""
    with _giving:
        port = _look_for_port(first, count)
        _given.add(port)
        return port


def _look_for_port(first, count):
    for port in range(first, first + count):
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError(f"no free port from {first} to {first + count - 1}")


class Cleanup:
    """Stops the servers and removes the directories of a test, whatever happened in it."""

    def __init__(self):
        self.servers, self.directories = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
        for path in self.directories:
            shutil.rmtree(path, ignore_errors=True)

    def add(self, server):
        self.servers.append(server)
        return server

    def directory(self):
        path = tempfile.mkdtemp(prefix="pawl-test-")
        self.directories.append(path)
        return path


class _Server:
    """A child process that listens on one loopback port. Its output goes to `log`."""

    def __init__(self, first_port):
        self.port = free_port(first_port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.log = None

    def _spawn(self, command, log_path, **more):
        self.log = log_path
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)

    def log_end(self, size=2000):
        if not self.log or not os.path.exists(self.log):
            return ""
        with open(self.log, "rb") as file:
            return file.read()[-size:].decode("utf-8", "replace")

    def _wait_ready(self, answers):
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise StartFailed(f"ended with status {self.process.returncode}:\n{self.log_end()}")
            if answers():
                return
            time.sleep(0.01)
        raise StartFailed(f"no answer on port {self.port} for {READY_TIMEOUT_S:.0f} s:\n{self.log_end()}")

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        """SIGKILL, and wait until it is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout_s=STOP_TIMEOUT_S):
        """SIGTERM; SIGKILL if that does not end it in time. Returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


class DynamoDbLocal(_Server):
    """Amazon's emulator, in memory; see tests/oracle/dynamodb_local.sh."""

    def __init__(self, first_port):
        super().__init__(first_port)
        handle, path = tempfile.mkstemp(prefix="dynamodb-local-", suffix=".log")
        os.close(handle)
        script = os.path.join(HERE, "..", "oracle", "dynamodb_local.sh")
        self._spawn(["/bin/sh", script, "serve", str(self.port)], path)
        try:
            self._wait_ready(self._listens)
        except StartFailed:
            self.stop()
            raise

    def stop(self, timeout_s=STOP_TIMEOUT_S):
        status = super().stop(timeout_s)
        if self.log and os.path.exists(self.log):
            os.unlink(self.log)
        return status


class Pawl(_Server):
    """`pawl serve` on a data directory. `start` may be called again after `kill` or `stop`:
    the port, the data and the archive stay the same."""

    def __init__(self, binary, first_port, directory, config=None, archive=None):
        super().__init__(first_port)
        self.binary = os.path.abspath(binary)
        self.data = os.path.join(directory, "data")
        self.archive = archive or os.path.join(self.data, "archive")
        self.archive_given = archive is not None
        self.log_path = os.path.join(directory, "pawl.log")
        self.config = None
        if config is not None:
            self.config = os.path.join(directory, "pawl.toml")
            with open(self.config, "w", encoding="utf-8") as file:
                file.write(config)

    def command(self):
        command = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        if self.config:
            command += ["--config", self.config]
        if self.archive_given:
            command += ["--archive", "dir:" + self.archive]
        return command

    def start(self, **more):
        self._spawn(self.command(), self.log_path, **more)
        self._wait_ready(self._listens)
        return self

    def run(self, *arguments, timeout_s=300):
        """Another subcommand of the same binary; returns the CompletedProcess with text output."""
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=timeout_s, check=False)

    def status(self):
        """`pawl status --json` as a document, or None when it could not run."""
        done = self.run("status", "--endpoint", self.url, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None
