#!/usr/bin/python3
"""Minutes of trouble: workers killed and paused at random, the gateway stopped in the middle, clients that never stop writing;
then every version must be there once, in order. Starts DynamoDB Local and Ceph's gateway itself.

    long_run.py --pawl build/pawl [--minutes 10] [--workers 3] [--writers 64] [--pause-ms 20] [--seed N] [--ports N]

Prints what it does, and closes with figures. Exit status 1 if anything is lost, doubled or out of order.
"""

import argparse
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "s3")]

import ceph
from blackbox import servers, suite
from guard_scene import LocalScene, Writers

GATEWAY_AWAY_S = 20.0
DRAINED_WITHIN_S = 600.0
READ_A_SECOND = 100  # objects of the gateway that `verify --deep` reads at the very least


class Run:
    def __init__(self, options, scene, gateway):
        self.scene, self.gateway, self.chance = scene, gateway, random.Random(options.seed)
        self.began = time.monotonic()
        self.kills = self.pauses = 0
        self.memory_kb = 0
        self.slowest_s = 0.0

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)

    def watch(self, seconds):
        """Waits, and looks how much memory the workers take and whether somebody reads."""
        until, unread = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < until:
            for worker in self.scene.workers:
                self.memory_kb = max(self.memory_kb, memory_of(worker))
            rows = self.scene.lease_rows()
            if all(f"worker/{row['owner']}" in rows for name, row in rows.items() if name.startswith("shard/") and not row["finished"]):
                unread = time.monotonic()
            self.slowest_s = max(self.slowest_s, time.monotonic() - unread)
            time.sleep(0.5)

    def trouble(self):
        victim = self.chance.choice(self.scene.workers)
        number = self.scene.workers.index(victim)
        if self.chance.random() < 0.5:
            self.say(f"worker {number} is killed")
            self.kills += 1
            victim.kill()
            self.watch(self.chance.uniform(0, 8))
            victim.start()
        else:
            seconds = self.chance.uniform(0.5, 12)
            self.say(f"worker {number} is paused for {seconds:.1f} s")
            self.pauses += 1
            victim.pause()
            self.watch(seconds)
            victim.go_on()

    def gateway_away(self):
        self.say(f"the gateway is stopped for {GATEWAY_AWAY_S:.0f} s")
        self.gateway.gateway_stop()
        self.watch(GATEWAY_AWAY_S)
        for worker in self.scene.workers:
            self.say(worker.status()[:300])
        self.gateway.gateway_start()
        self.say("the gateway is back")


def memory_of(worker):
    try:
        with open(f"/proc/{worker.process.pid}/status", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmRSS")), 0)
    except (OSError, ValueError):
        return 0


def duplicates_of(scene, gateway):
    """Objects of the archive, and how many of them evaded a name that was taken: none, for nobody counts twice."""
    bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
    pages = ceph.client(gateway.url).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/logs/")
    names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return len(names), sum("~" in name for name in names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pawl", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--pause-ms", type=float, default=20, help="of each writer after each write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ports", type=int, default=8700)
    options = parser.parse_args()
    suite.dummy_credentials()
    context = suite.current()
    context.binary, context.ports = os.path.abspath(options.pawl), options.ports
    with servers.Cleanup() as cleanup:
        context.cleanup = cleanup
        gateway = cleanup.add(ceph.Ceph(cleanup.directory(), options.ports))
        ceph.client(gateway.url).create_bucket(Bucket="pawl-test")
        dynamodb = cleanup.add(servers.DynamoDbLocal(options.ports + 65))
        os.environ.update(ceph.KEYS)
        scene = LocalScene(dynamodb.url, gateway.url)
        for _ in range(options.workers):
            scene.worker()
        writers = Writers(scene, options.writers, pause_s=options.pause_ms / 1000).start()
        run = Run(options, scene, gateway)
        run.watch(5)
        seconds, gateway_was_away = options.minutes * 60, False
        while time.monotonic() - run.began < seconds:
            if not gateway_was_away and time.monotonic() - run.began > seconds / 2:
                gateway_was_away = True
                run.gateway_away()
            run.trouble()
            run.watch(run.chance.uniform(1, 6))
        written = writers.stop()
        run.say(f"{written} changes were written; waiting for the rest")
        stopped = time.monotonic()
        scene.wait_archived(written, DRAINED_WITHIN_S)
        run.say(f"all are in the ledger {time.monotonic() - stopped:.0f} s after the last write")
        statuses = [worker.stop() for worker in scene.workers]
        status, report, text = scene.verify("--deep", within_s=300 + written / READ_A_SECOND)
        objects, evaded = duplicates_of(scene, gateway)
        print(f"{written} changes in {seconds:.0f} s by {options.writers} writers; {run.kills} kills, {run.pauses} pauses, one gateway away for "
              f"{GATEWAY_AWAY_S:.0f} s; a worker took {run.memory_kb / 1024:.0f} MB at most; nobody's shard for {run.slowest_s:.1f} s at most")
        print(f"verify --deep: status {status}, {report and report['versions']} versions, {report and report['gaps']} gaps; {objects} objects, "
              f"{evaded} under evaded names; workers ended with {statuses}")
        good = (status == 0 and report["versions"] == written and report["gaps"] == 0 and (objects, evaded) == (written, 0) and
                not any(statuses))
        print("GOOD" if good else f"BAD\n{text[-3000:]}")
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
