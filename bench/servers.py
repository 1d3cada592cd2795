"""The servers under test, each started on a directory of its own that is removed when the bench is over."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from requests_dynamodb import call

TOP = Path(__file__).resolve().parents[1]
WORK = TOP / "build" / "bench"
PAWL = TOP / "build" / "pawl"
READY_S = 60


@dataclass
class Server:
    name: str
    command: list[str]
    cwd: Path
    port: int
    table: str = "bench"
    stream: bool = True
    process: subprocess.Popen[bytes] | None = None
    ready_ms: float = 0

    def start(self) -> None:
        """Returns when the port takes connections; `ready_ms` is how long that took from the exec."""
        log = (self.cwd / "server.log").open("wb")
        started = time.monotonic()
        self.process = subprocess.Popen(self.command, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        while not self.accepts():
            if self.process.poll() is not None or time.monotonic() - started > READY_S:
                raise RuntimeError(f"{self.name} did not start: see {self.cwd}/server.log")
            time.sleep(0.001)
        self.ready_ms = (time.monotonic() - started) * 1000

    def accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def create_table(self) -> None:
        definition = {"TableName": self.table, "BillingMode": "PAY_PER_REQUEST",
                      "AttributeDefinitions": [{"AttributeName": "hashid", "AttributeType": "S"}],
                      "KeySchema": [{"AttributeName": "hashid", "KeyType": "HASH"}]}
        if self.stream:
            definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        call(self.port, "CreateTable", definition)
        deadline = time.monotonic() + READY_S
        while call(self.port, "DescribeTable", {"TableName": self.table})["Table"]["TableStatus"] != "ACTIVE":
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: the table did not become ACTIVE")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        except ProcessLookupError:
            pass
        self.process = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def fresh_directory(name: str) -> Path:
    """A directory that did not exist before. Nothing is removed while measuring: creating files is slow for up
    to a minute after a mass removal on ext4, so remove_all() comes last."""
    number = 0
    while (path := WORK / "data" / f"{name}-{number}").exists():
        number += 1
    path.mkdir(parents=True)
    return path


def remove_all() -> None:
    shutil.rmtree(WORK / "data", ignore_errors=True)


def pawl(port: int, record: bool = True, data: Path | None = None) -> Server:
    """Pawl as `pawl serve` starts it; record=False is a table of which no version is archived."""
    data = data or fresh_directory("pawl")
    config = data / "pawl.toml"
    config.write_text(f"[tables.bench]\nrecord = {str(record).lower()}\n")
    return Server("Pawl" if record else "Pawl, archiver idle",
                  [str(PAWL), "serve", "--config", str(config), "--data", str(data / "data"), "--listen",
                   f"127.0.0.1:{port}"], data, port)


def dynamodb_local_folder() -> Path:
    script = TOP / "tests" / "oracle" / "dynamodb_local.sh"
    return Path(subprocess.run([str(script), "fetch"], check=True, capture_output=True, text=True).stdout.strip())


def dynamodb_local(port: int, on_disk: bool) -> Server:
    folder = dynamodb_local_folder()
    data = fresh_directory("dynamodb-local")
    where = ["-dbPath", str(data)] if on_disk else ["-inMemory"]
    return Server("DynamoDB Local, disk" if on_disk else "DynamoDB Local, memory",
                  ["java", "-Xmx2g", f"-Djava.library.path={folder}/DynamoDBLocal_lib", "-jar",
                   f"{folder}/DynamoDBLocal.jar", "-port", str(port), "-sharedDb", "-disableTelemetry", *where],
                  data, port)


def dynalite(port: int) -> Server:
    """LevelDB without sync, and without a stream, which it does not have."""
    data = fresh_directory("dynalite")
    return Server("dynalite, disk, unsynced",
                  [str(dynalite_program()), "--host", "127.0.0.1", "--port", str(port), "--path", str(data / "level"),
                   "--createTableMs", "1"], data, port, stream=False)


def dynalite_program() -> Path:
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    version = "4.0.0" if int(node[1:].split(".")[0]) >= 20 else "3.2.2"  # what this Node.js can run
    folder = Path(os.environ.get("PAWL_CACHE") or Path.home() / ".cache" / "pawl") / f"dynalite-{version}"
    program = folder / "node_modules" / ".bin" / "dynalite"
    if not program.exists():
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder),
                        f"dynalite@{version}"], check=True)
    return program
