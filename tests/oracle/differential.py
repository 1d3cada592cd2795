#!/usr/bin/python3
"""Differential test: generated DynamoDB operations on DynamoDB Local and on Pawl, answers compared.

    differential.py --pawl build/pawl                      20,000 operations, seed 1
    differential.py --pawl build/pawl --seed 7 --operations 5000
    differential.py --pawl build/pawl --replay found.json  one sequence, both answers shown
    differential.py --right http://127.0.0.1:8102          against a server that already runs

Exit status: 0 agreement of at least 99 % and equal streams, 1 less, 2 could not run.
"""

import argparse
import collections
import json
import multiprocessing
import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import deliberate
import execute
from blackbox import archive_reader, servers
from corrections import CORRECTIONS, corrected_record
from execute import Side
from generator import PREFIX, Session
from normalise import canonical, first_difference
from shrink import shrink

SESSION_LENGTH = 100
REQUIRED_PERCENT = 99.0
TABLE_LETTERS = "abcd"


class Tally:
    """Counts of one worker, added up at the end. Plain data, so that it crosses processes."""

    def __init__(self):
        self.operations = self.agreed = self.corrected = self.deliberate = self.message_pairs = self.message_equal = 0
        self.rejected = 0  # operations that DynamoDB Local refused: shows that invalid input is well covered
        self.abandoned = 0
        self.rules = collections.Counter()
        self.messages = collections.Counter()
        self.findings = {}  # signature -> [count, example]
        self.by_operation = collections.defaultdict(lambda: [0, 0, 0])  # op -> [sent, agreed, accepted]
        self.streams = []  # (run table name, DynamoDB Local's records, the other's or None)

    def merge(self, other):
        for name in ("operations", "agreed", "corrected", "deliberate", "message_pairs", "message_equal", "rejected", "abandoned"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rules += other.rules
        self.messages += other.messages
        for signature, (count, example) in other.findings.items():
            self.findings.setdefault(signature, [0, example])[0] += count
        for op, counts in other.by_operation.items():
            for at, count in enumerate(counts):
                self.by_operation[op][at] += count
        self.streams += other.streams


def endpoints(options):
    sides = []
    for label in ("left", "right"):
        url = urllib.parse.urlsplit(getattr(options, label))
        sides.append(Side(label, url.hostname, url.port))
    return sides


def start_session(left, right, setup, run_name):
    """Gives both sides a fresh prefix and creates the session's tables."""
    left.prefix = right.prefix = run_name
    for operation in setup:
        for side in (left, right):
            status, document = side.call("CreateTable", operation["body"])
            if status != 200:
                raise RuntimeError(f"{side.label}: CreateTable {operation['body']['TableName']}: {status} {document}")


def end_session(left, right):
    for letter in list(TABLE_LETTERS) + ["zzz", "bad"]:
        for side in (left, right):
            side.call("DeleteTable", {"TableName": PREFIX + letter})


class StreamWatch:
    """Which of a session's tables have a stream that is comparable from its first to its last record."""

    def __init__(self, setup):
        self.clean = {o["body"]["TableName"] for o in setup if "StreamSpecification" in o["body"]}

    def spoiled(self, table):
        self.clean.discard(table)

    def before(self, operation):
        """A table whose stream setting is touched, or that may be deleted, is left out."""
        if operation["op"] in ("DeleteTable", "UpdateTable") and isinstance(operation["body"].get("TableName"), str):
            self.spoiled(operation["body"]["TableName"])

    def collect(self, left, right, tally, both):
        for table in sorted(self.clean):
            records = execute.stream_records(left, table)
            if records is not None:
                other = execute.stream_records(right, table) if both else None
                tally.streams.append((table.replace(PREFIX, left.prefix), records, other))


def run_session(options, left, right, index, length, run_name, tally):
    seed = options.seed
    session = Session(seed, index, length)
    start_session(left, right, session.setup, run_name)
    watch = StreamWatch(session.setup)
    for position, operation in enumerate(session.operations):
        watch.before(operation)
        difference, same_message, answers = execute.compare(left, right, operation)
        tally.operations += 1
        counts = tally.by_operation[operation["op"]]
        counts[0] += 1
        counts[2] += answers[0][0] == 200
        tally.rejected += answers[0][0] != 200
        if difference is None:
            tally.agreed += 1
            tally.corrected += len(answers) > 2
            counts[1] += 1
            if answers[0][0] != 200:
                tally.message_pairs += 1
                tally.message_equal += same_message
                if not same_message:
                    tally.messages[(execute.skeleton(answers[0][3]), execute.skeleton(answers[1][3]))] += 1
            continue
        rule = deliberate.explain(difference)
        if rule:
            tally.deliberate += 1
            tally.rules[rule.name] += 1
        else:
            finding = tally.findings.setdefault(difference.signature(), [0, None])
            finding[0] += 1
            finding[1] = finding[1] or {"seed": seed, "session": index, "position": position,
                                        "left": difference.left, "right": difference.right}
        in_step, changed = execute.resync(left, right, [PREFIX + letter for letter in TABLE_LETTERS])
        if changed:
            watch.clean.clear()
        if not in_step:
            tally.abandoned += 1
            watch.clean.clear()
            break
    if options.archive or options.compare_streams:
        watch.collect(left, right, tally, options.compare_streams)
    end_session(left, right)


def worker(options, number, queue):
    tally = Tally()
    try:
        left, right = endpoints(options)
        per_worker = options.operations // options.workers + (number < options.operations % options.workers)
        index = number
        while tally.operations < per_worker:
            length = min(SESSION_LENGTH, per_worker - tally.operations)
            run_session(options, left, right, index, length, f"{options.run_name}-{number}-{index}-", tally)
            index += options.workers
            queue.put(("progress", tally.operations))
        tally.by_operation = dict(tally.by_operation)
        queue.put(("done", tally))
    except Exception as error:  # the parent must hear of it, or it would wait for ever
        import traceback
        queue.put(("failed", f"{error}\n{traceback.format_exc()}"))


def run_workers(options):
    queue = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=worker, args=(options, n, queue), daemon=True) for n in range(options.workers)]
    for process in processes:
        process.start()
    total, done, counted, shown = Tally(), 0, collections.Counter(), time.monotonic()
    while done < len(processes):
        what, content = queue.get()
        if what == "failed":
            raise RuntimeError(content)
        if what == "done":
            done += 1
            total.merge(content)
        elif time.monotonic() - shown > 5:
            shown = time.monotonic()
            print(f"  … about {content * options.workers:,} of {options.operations:,} operations", flush=True)
    for process in processes:
        process.join()
    return total


# -- replaying and shrinking -----------------------------------------------------------------

_replays = [0]


def replay(left, right, setup, operations, run_name):
    """Runs a sequence from nothing; returns the Difference of the last operation, or None."""
    _replays[0] += 1
    start_session(left, right, setup, f"{run_name}-r{_replays[0]}-")
    difference = None
    try:
        for operation in operations:
            difference, _, _ = execute.compare(left, right, operation)
    finally:
        end_session(left, right)
    return difference


def shrink_finding(options, left, right, signature, example):
    session = Session(example["seed"], example["session"], example["position"] + 1)
    operations = session.operations[: example["position"] + 1]

    def still(setup, candidate):
        difference = replay(left, right, setup, candidate, options.run_name)
        return difference is not None and difference.signature() == signature and not deliberate.explain(difference)

    if not still(session.setup, operations):
        return {"note": "did not disagree again from nothing", "setup": session.setup, "operations": operations}
    return {"setup": session.setup, "operations": shrink(session.setup, operations, still)}


def show_answer(label, answer):
    status, name, body, message = answer
    text = json.dumps(body, ensure_ascii=False)
    text = text if len(text) <= 1500 else text[:1500] + "…"
    print(f"    {label}: {status} {name} {message if name else ''} {text if not name or body else ''}")


def report_findings(options, total):
    left, right = endpoints(options)
    findings = sorted(total.findings.items(), key=lambda f: -f[1][0])
    for signature, (count, example) in findings[: options.show]:
        print(f"\n{count} × {signature[0]} ({signature[1]}): {signature[6]} [seed {example['seed']}, session {example['session']}, "
              f"operation {example['position']}]")
        operation = Session(example["seed"], example["session"], example["position"] + 1).operations[example["position"]]
        print(f"    {deliberate.text_of(operation)[:1500]}")
        show_answer("DynamoDB Local", example["left"])
        show_answer("Pawl          ", example["right"])
        if signature[1] == "body":
            print("    first difference: " + first_difference(example["left"][2], example["right"][2]))
        if options.shrink:
            script = shrink_finding(options, left, right, signature, example)
            print("    replay with --replay: " + json.dumps(script, ensure_ascii=False))
    if len(findings) > options.show:
        print(f"\n… and {len(findings) - options.show} kinds of difference more (--show N)")


def run_replay(options):
    with open(options.replay, encoding="utf-8") as file:
        script = json.load(file)
    left, right = endpoints(options)
    start_session(left, right, script["setup"], options.run_name + "-")
    found = 0
    for operation in script["operations"]:
        difference, _, answers = execute.compare(left, right, operation)
        print(f"{operation['op']} {deliberate.text_of(operation)}")
        if difference is None:
            show_answer("both          ", answers[0])
            continue
        rule = deliberate.explain(difference)
        found += rule is None
        print(f"  DIFFERENT ({difference.kind}){' deliberate: ' + rule.why if rule else ''}")
        show_answer("DynamoDB Local", answers[0])
        show_answer("Pawl          ", answers[1])
    end_session(left, right)
    return 1 if found else 0


# -- streams ---------------------------------------------------------------------------------

def per_key(records, correct=lambda record: record):
    keys = {}
    for record in map(correct, records):
        keys.setdefault(canonical(record["key"]), []).append(canonical(record))
    return keys


def compare_streams(total, archived):
    """Each key's records must be the same, in the same order. Returns how many records were compared, and
    a text for each table that differs."""
    problems, records_compared = [], 0
    for table, expected, other in total.streams:
        found = archived(table) if archived else other
        if found is None:
            problems.append(f"table {table} has no stream")
            continue
        left, right = per_key(expected), per_key(found)
        if left != right:  # as answers are: corrected only where they aren't equal as they came
            left = per_key(expected, corrected_record)
        records_compared += len(expected)
        for key in sorted(set(left) | set(right)):
            if left.get(key, []) != right.get(key, []):
                a, b = left.get(key, []), right.get(key, [])
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                problems.append(f"table {table} key {key}: {len(a)} records against {len(b)}, first different at {at}:\n"
                                f"      DynamoDB Local {a[at] if at < len(a) else '(none)'}\n"
                                f"      Pawl           {b[at] if at < len(b) else '(none)'}")
                break
    return records_compared, problems


def archive_streams(options, total):
    """Waits until the archive holds as many changes as DynamoDB Local streamed, then reads it."""
    wanted = {table: len(records) for table, records, _ in total.streams}
    deadline = time.monotonic() + 240
    while True:
        found = archive_reader.by_table(archive_reader.read_objects(options.archive))
        if all(len(found.get(table, [])) >= count for table, count in wanted.items()) or time.monotonic() > deadline:
            return lambda table: archive_reader.as_stream(found.get(table, []))
        time.sleep(0.5)


def report_streams(options, total, archived, what):
    records, problems = compare_streams(total, archived)
    for problem in problems[: options.show]:
        print(f"  stream: {what}: {problem}")
    return records, problems


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pawl", help="the binary under test; started on a fresh data directory")
    parser.add_argument("--left", help="URL of DynamoDB Local, if one runs already")
    parser.add_argument("--right", help="URL of the server under test, if it runs already")
    parser.add_argument("--archive", help="its archive directory, to compare stream records (with --right)")
    parser.add_argument("--compare-streams", action="store_true", help="compare with the Streams API of --right")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operations", type=int, default=20000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ports", type=int, default=8100, help="first of two free ports")
    parser.add_argument("--show", type=int, default=10, help="how many kinds of difference to print")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--messages", type=int, default=0, help="print the N commonest differing error messages")
    parser.add_argument("--replay", help="a script printed by an earlier run")
    return parser.parse_args()


def report(options, total, seconds):
    percent = 100.0 * total.agreed / total.operations
    unexplained = total.operations - total.agreed - total.deliberate
    report_findings(options, total)
    print("\noperation            sent  accepted  agreed")
    for op, (sent, agreed, accepted) in sorted(total.by_operation.items(), key=lambda o: -o[1][0]):
        print(f"  {op:<18} {sent:>5}  {100 * accepted / sent:>6.1f} %  {100 * agreed / sent:>6.2f} %")
    for (a, b), count in total.messages.most_common(options.messages):
        print(f"  {count} × message\n      {a}\n      {b}")
    for rule in deliberate.RULES:
        if total.rules[rule.name]:
            print(f"deliberate, {total.rules[rule.name]} ×: {rule.name}: {rule.why} [{rule.source}]")
    for name, why in CORRECTIONS.items():
        print(f"corrected before comparing: {name}: {why}")
    print(f"{total.corrected:,} of the agreeing answers agree after such a correction of DynamoDB Local's")
    print(f"messages: {total.message_equal:,} of {total.message_pairs:,} agreeing errors have equal texts")
    print(f"seed {options.seed}: {total.operations / seconds:,.0f} operations/s, {100 * total.rejected / total.operations:.0f} % "
          f"refused by DynamoDB Local, {total.abandoned} sessions cut short")
    print(f"agreement: {total.agreed:,} of {total.operations:,} operations ({percent:.2f} %), "
          f"{total.deliberate} deliberate, {unexplained} unexplained")
    return percent >= REQUIRED_PERCENT


def main():
    options = arguments()
    options.run_name = f"o{os.getpid()}"
    with servers.Cleanup() as cleanup:
        if not options.left:
            options.left = cleanup.add(servers.DynamoDbLocal(options.ports)).url
        if not options.right:
            if not options.pawl:
                print("differential.py: give --pawl BINARY or --right URL", file=sys.stderr)
                return 2
            pawl = cleanup.add(servers.Pawl(options.pawl, options.ports + 1, cleanup.directory()))
            pawl.start()
            options.right, options.archive, options.compare_streams = pawl.url, pawl.archive, True
        if options.replay:
            return run_replay(options)
        started = time.monotonic()
        total = run_workers(options)
        good = agreed = report(options, total, time.monotonic() - started)
        if options.archive or options.compare_streams:
            records, problems = 0, []
            if options.archive:
                records, problems = report_streams(options, total, archive_streams(options, total), "archive")
            if options.compare_streams:
                records, more = report_streams(options, total, None, "Streams API")
                problems += more
            print(f"streams: {records:,} records of {len(total.streams)} tables compared, {len(problems)} tables' keys differ")
            good = agreed and not problems and records > 0
            print(f"{agreed + (not problems and records > 0)} passed, {2 - agreed - (not problems and records > 0)} failed")
        else:
            print(f"{int(agreed)} passed, {int(not agreed)} failed")
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
