#!/usr/bin/python3
"""Kills the real server with SIGKILL at random instants under 16 real clients, and checks the promises.

    crash_test.py --pawl build/pawl [--kills 20] [--seed 1]

No acknowledged write is lost, none is counted twice, every object is whole and never changes, and
`pawl verify` is clean after catching up. Exit status 0 or 1.
"""

import argparse
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import boto3

import workload
from archive_check import ArchiveWatch
from blackbox import servers, suite

CLIENTS = 16
CONFIG = """
[tables.counters]
names = "logs/{id}-{_version}.log"
partitions = 4
[tables.things]
partitions = 3
[tables.left]
partitions = 2
"""
CATCH_UP_S = 240.0


class Run:
    def __init__(self, options, cleanup):
        self.options = options
        self.rng = random.Random(options.seed)
        self.pawl = cleanup.add(servers.Pawl(options.pawl, options.ports, cleanup.directory(), CONFIG))
        self.watch = ArchiveWatch(self.pawl.archive)
        self.problems, self.restarts = [], []
        self.stop = threading.Event()
        self.clients = []

    def start_clients(self):
        workload.create_tables(self.pawl.url)
        self.clients = [workload.Client(self.pawl.url, n, self.options.seed, self.stop) for n in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def kill_and_restart(self, number):
        # Some kills come while it is still recovering from the one before.
        time.sleep(self.rng.uniform(0.0, 0.08) if self.rng.random() < 0.2 else self.rng.uniform(0.15, 1.0))
        if self.pawl.process.poll() is not None:
            raise servers.StartFailed(f"the server ended by itself with {self.pawl.process.returncode}:\n{self.pawl.log_end()}")
        self.pawl.kill()
        self.problems += [f"after kill {number}: {p}" for p in self.watch.look()]
        begun = time.monotonic()
        self.pawl.start()
        self.restarts.append(time.monotonic() - begun)
        dead = [c for c in self.clients if c.error]
        self.problems += [f"after kill {number}: {c.name}: {c.error}" for c in dead]

    def finish_clients(self):
        self.stop.set()
        for client in self.clients:
            client.join(180)
            if client.is_alive():
                self.problems.append(f"{client.name} still waits for an answer after 180 s")
            elif client.error:
                self.problems.append(f"{client.name}: {client.error}")

    def check_tables(self):
        for client in self.clients:
            try:
                client.check_all()
            except workload.Broken as error:
                self.problems.append(str(error))
        self.problems += workload.check_shared(boto3.client("dynamodb", endpoint_url=self.pawl.url), self.clients)

    def expected_versions(self):
        """How many changes the tables' own contents prove: a lower bound that the archive must reach."""
        api = boto3.client("dynamodb", endpoint_url=self.pawl.url)
        return {(table, item["id"]["S"]): int(item["_version"]["N"])
                for table in (workload.COUNTERS, workload.LEFT, workload.RIGHT)
                for page in api.get_paginator("scan").paginate(TableName=table) for item in page["Items"]}

    def catch_up(self):
        expected, deadline = self.expected_versions(), time.monotonic() + CATCH_UP_S
        acked = {value for client in self.clients for _, value in client.acked_puts}
        while True:
            self.problems += self.watch.look()
            missing = [k for k, count in expected.items() if len(self.watch.changes(k[0]).get(k[1], [])) < count]
            archived = [d["new"]["value"]["S"] for c in self.watch.changes(workload.THINGS).values() for d in c if d["new"]]
            if not missing and acked <= set(archived):
                break
            if time.monotonic() > deadline:
                self.problems.append(f"after {CATCH_UP_S:.0f} s the archive lacks {len(missing)} counters' versions, such as {missing[:3]}, "
                                     f"and {len(acked - set(archived))} acknowledged puts")
                break
            time.sleep(0.3)
        for (table, key), count in expected.items():
            if len(self.watch.changes(table).get(key, [])) > count:
                self.problems.append(f"{table} {key}: more versions archived than {count}")
        if len(archived) != len(set(archived)):
            self.problems.append("a put was recorded twice")
        self.order_of_puts()

    def order_of_puts(self):
        """Each client's acknowledged puts of one key stand in the archive in the order of their acknowledgements."""
        for client in self.clients:
            for key in client.things:
                acked = [value for k, value in client.acked_puts if k == key]
                history = [d["new"]["value"]["S"] for d in self.watch.changes(workload.THINGS).get(key, []) if d["new"]]
                places = {value: at for at, value in enumerate(history)}
                order = [places[value] for value in acked if value in places]
                if order != sorted(order):
                    self.problems.append(f"item {key}: its history is not in the order of the acknowledgements")

    def verify(self):
        if self.pawl.stop() != 0:
            self.problems.append(f"the server stopped with status {self.pawl.process.returncode}:\n{self.pawl.log_end()}")
        self.problems += self.watch.look(again=True)
        self.problems += self.watch.chain_problems(workload.TABLES)
        self.problems += self.watch.counter_problems((workload.COUNTERS, workload.LEFT, workload.RIGHT))
        for more in ([], ["--deep"]):
            done = self.pawl.run("verify", self.pawl.archive, *more)
            if done.returncode != 0:
                self.problems.append(f"pawl verify {' '.join(more)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")

    def report(self, seconds):
        operations = sum(c.operations for c in self.clients)
        unknown = sum(c.unknown for c in self.clients)
        print(f"seed {self.options.seed}: {len(self.restarts)} kills in {seconds:.0f} s, {operations:,} operations of {CLIENTS} clients "
              f"({unknown} with an unknown outcome), {len(self.watch.documents):,} objects, "
              f"restart {sorted(self.restarts)[len(self.restarts) // 2]:.2f} s median, {max(self.restarts):.2f} s worst")
        for problem in self.problems[:20]:
            print(f"FAIL {problem}")
        # A run that did nothing proves nothing.
        floor = 10 * len(self.restarts)
        if operations < floor or len(self.watch.documents) < floor:
            self.problems.append("too little happened")
            print(f"FAIL fewer than {floor} operations or objects: nothing is proven")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pawl", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ports", type=int, default=8120)
    parser.add_argument("--keep", action="store_true", help="keep the directory of a failed run")
    options = parser.parse_args()
    suite.dummy_credentials()
    with servers.Cleanup() as cleanup:
        run, begun = Run(options, cleanup), time.monotonic()
        run.pawl.start()
        run.start_clients()
        try:
            for number in range(1, options.kills + 1):
                run.kill_and_restart(number)
                if number % 10 == 0:
                    print(f"  … {number} of {options.kills} kills", flush=True)
                if len(run.problems) > 20:
                    break
            run.finish_clients()
            run.check_tables()
            run.catch_up()
            run.verify()
        except servers.StartFailed as error:
            run.stop.set()
            run.problems.append(str(error))
            run.restarts = run.restarts or [0.0]
        run.report(time.monotonic() - begun)
        if run.problems and options.keep:
            print(f"kept: {cleanup.directories}")
            cleanup.directories.clear()
    print(f"{0 if run.problems else 1} passed, {1 if run.problems else 0} failed")
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
