"""The rows about Pawl alone: how soon a change is in the ledger, the drain after an outage, verify, idling."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import requests_dynamodb as requests
import servers
from ledger_watch import LedgerWatch, SeenPage, changes_of
from rows import FIRST_PORT, Measured, Row, Settings
from wrk import wrk

PACE_PER_S = 5000
SETTLE_S = 120


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def archive_of(server: servers.Server) -> Path:
    return server.cwd / "data" / "archive"


def update_requests(server: servers.Server, return_values: str = "NONE") -> Path:
    file = server.cwd / "requests"
    requests.write_requests(file, server.port, "UpdateItem",
                            [requests.update_body(server.table, i, return_values) for i in range(requests.ITEMS)])
    return file


def settle(watch: LedgerWatch, changes: int) -> None:
    deadline = time.monotonic() + SETTLE_S
    while watch.changes() < changes:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {watch.changes()} of {changes} changes were in the ledger after {SETTLE_S} s")
        time.sleep(0.05)


def durable_instants(pages: list[SeenPage]) -> dict[tuple[str, int], tuple[int, int]]:
    """For each change (key, Pawl's version): when its page could be read, and when the chain's next page could.

    The writer syncs a page before it appends the next, so the moment at which a page became durable lies
    between the two. Both ends are reported; the figure is the later one.
    """
    instants: dict[tuple[str, int], tuple[int, int]] = {}
    by_chain: dict[str, list[SeenPage]] = {}
    for page in pages:
        by_chain.setdefault(page.chain, []).append(page)
    for chain in by_chain.values():
        for page, following in zip(chain, chain[1:]):
            for change in changes_of(page):
                instants[change["key"]["hashid"]["S"], change["version"]] = page.seen_ns, following.seen_ns
    return instants


def bare_files(folder: Path, *arguments: str) -> dict[str, float]:
    """What the same disk takes from a writer of files that does nothing else (bare_files.cc), right after Pawl."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(servers.PAWL.with_name("bare_files")), str(folder), *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def durable(settings: Settings) -> Row:
    row = Row("durable", "acknowledgement → durable object and page, 5,000 writes/s", must="p99 ≤ 60 ms",
              aim="p50 ≤ 5 ms, p99 ≤ 30 ms")
    server = servers.pawl(FIRST_PORT + 10)
    acks = server.cwd / "acks"
    with server:
        server.create_table()
        file = update_requests(server, "ALL_NEW")
        watch = LedgerWatch(archive_of(server)).start()
        wrk(server.port, file, 64, 2, "retry-tokens", f"rate={PACE_PER_S}")  # is not counted: a new directory is slow
        figures = wrk(server.port, file, 64, settings.paced_seconds, "retry-tokens", f"rate={PACE_PER_S}",
                      f"acks={acks}")
        time.sleep(3)
        instants = durable_instants(watch.stop())
    seen_ms, durable_ms = [], []
    for line in acks.read_text().splitlines():
        ack_ns, hashid, count = line.split()
        found = instants.get((hashid, int(count) - 1))  # the counter starts at 1, Pawl's version at 0
        if found:
            seen_ms.append(max(0.0, (found[0] - int(ack_ns)) / 1e6))
            durable_ms.append(max(0.0, (found[1] - int(ack_ns)) / 1e6))
    if len(durable_ms) < PACE_PER_S * settings.paced_seconds / 2:
        raise RuntimeError(f"only {len(durable_ms)} changes could be followed into the ledger")
    row.measured.append(Measured(
        "Pawl", percentile(durable_ms, 99), "ms (p99)",
        {"p50_ms": percentile(durable_ms, 50), "p99_ms": percentile(durable_ms, 99),
         "page_visible_p50_ms": percentile(seen_ms, 50), "page_visible_p99_ms": percentile(seen_ms, 99),
         "writes_per_second": figures.per_second}, errors=figures.errors))
    bare = bare_files(server.cwd / "bare", "paced", str(settings.paced_seconds + 2), str(PACE_PER_S))
    row.measured.append(Measured("files and two logs, no Pawl", bare["p99_ms"], "ms (p99)", bare))
    return row


def set_immutable(path: Path, on: bool) -> None:
    subprocess.run(["chattr", "+i" if on else "-i", str(path)], check=True)


def drain(settings: Settings) -> Row:
    """The outage: the directory of the objects takes no new file (chattr +i), while writes go on."""
    row = Row("drain", "draining a backlog after an outage, directory archive", must="12,000 objects/s",
              aim="20,000 objects/s")
    backlog = settings.versions // 5
    server = servers.pawl(FIRST_PORT + 11)
    with server:
        server.create_table()
        file = update_requests(server)
        watch = LedgerWatch(archive_of(server)).start()
        wrk(server.port, file, 64, 1, "retry-tokens")
        objects = archive_of(server) / server.table
        time.sleep(3)
        before = watch.changes()
        set_immutable(objects, True)
        try:
            written = 0.0
            while written < backlog:
                written += wrk(server.port, file, 64, 4, "retry-tokens").per_second * 4
            held = watch.changes()
        finally:
            set_immutable(objects, False)
        started = time.monotonic()
        settle(watch, before + int(written * 0.99))
        seconds = time.monotonic() - started
        drained = watch.changes() - held
        watch.stop()
    row.measured.append(Measured("Pawl", drained / seconds, "objects/s", {"backlog": drained, "seconds": seconds,
                                                                       "paged_during_outage": held - before}))
    bare = bare_files(server.cwd / "bare", "drain", str(2 * settings.seconds))
    row.measured.append(Measured("files and a log, no Pawl", bare["files_per_s"], "files/s"))
    return row


def run_measured(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, bytes, float, float]:
    """Runs pawl to its end: status, output, seconds, and the most MiB that it held.

    The last is not wait4()'s ru_maxrss of a child of ours: that begins with what this process held when it forked.
    """
    peak_kib, output = folder / "peak", folder / "output"
    started = time.monotonic()
    with output.open("wb") as out:
        status = subprocess.run(["/usr/bin/time", "-f", "%M", "-o", str(peak_kib), str(servers.PAWL), *arguments], stdout=out,
                                env=env).returncode
    seconds = time.monotonic() - started
    # Above the figure `time` notes a status other than 0.
    return status, output.read_bytes(), seconds, int(peak_kib.read_text().split()[-1]) / 1024


def verify(settings: Settings) -> Row:
    row = Row("verify", f"`pawl verify` of {settings.versions:,} versions, warm directory", must="30 s, 256 MiB",
              aim="10 s")
    server = servers.pawl(FIRST_PORT + 12)
    with server:
        server.create_table()
        file = update_requests(server)
        watch = LedgerWatch(archive_of(server)).start()
        written = 0.0
        while written < settings.versions:
            seconds = 2 if settings.versions < 50_000 else 20
            written += wrk(server.port, file, 64, seconds, "retry-tokens").per_second * seconds
        settle(watch, settings.versions)
        changes = watch.changes()
        watch.stop()
    for attempt in ("warming", "counted"):
        status, _, seconds, peak_mib = run_measured(server.cwd, "verify", str(archive_of(server)), "--json")
        if status != 0:
            raise RuntimeError(f"pawl verify ({attempt}) ended with status {status}")
    row.measured.append(Measured("Pawl", seconds, "s", {"versions": changes, "max_rss_mib": peak_mib}))
    return row


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int, field: str = "VmRSS") -> float:
    """`VmHWM` is the most that it ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field}")


def idle(settings: Settings) -> Row:
    row = Row("idle", "idle: resident set, CPU, ready on an empty directory", must="64 MiB, 1 % of a core, 300 ms",
              aim="32 MiB, 50 ms")
    ready_ms = []
    for _ in range(settings.runs):
        with servers.pawl(FIRST_PORT + 13) as server:
            ready_ms.append(server.ready_ms)
            time.sleep(3)
            before, seconds = cpu_seconds(server.process.pid), 4 * settings.seconds
            time.sleep(seconds)
            percent = 100 * (cpu_seconds(server.process.pid) - before) / seconds
            resident = resident_mib(server.process.pid)
    row.measured.append(Measured("Pawl", resident, "MiB", {"cpu_percent": percent,
                                                           "ready_ms": statistics.median(ready_ms)}, ready_ms))
    return row
