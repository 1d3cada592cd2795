#!/usr/bin/python3
"""Holds the `--json` of each command to its schema in docs/schemas/: check.py --pawl BINARY [--ports N].

Starts a server, writes a little, and validates what the commands print: on a sound archive and on a damaged copy.
Then breaks each document in two ways and sees that the schema refuses it. Closes with `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import boto3
import jsonschema

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))

sys.path.insert(0, str(TOP / "tests" / "s3"))

from blackbox import archive_reader, client_case, servers, suite  # noqa: E402
from schemas import guarded_archive  # noqa: E402
from scripted.server import ScriptedAws  # noqa: E402
from scripted_store import ScriptedStore  # noqa: E402

SETTLE_S = 180.0


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, name: str, good: bool, more: str = "") -> None:
        print(f"{'ok  ' if good else 'FAIL'} {name}{': ' + more if more and not good else ''}", flush=True)
        self.passed += good
        self.failed += not good


def validator(command: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((TOP / "docs" / "schemas" / f"{command}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check_alarms(tally: Tally) -> None:
    """An alarm that a person can look up is one that a machine may meet, and the other way round."""
    table = (TOP / "docs" / "operations.md").read_text().split("| alarm |", 1)[1].split("\n\n", 1)[0]
    listed = set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))
    schema = json.loads((TOP / "docs" / "schemas" / "status.schema.json").read_text())
    known = set(schema["properties"]["alarms"]["items"]["properties"]["kind"]["enum"])
    tally.check("alarms of docs/operations.md are those of the schema", bool(listed) and listed == known, str(listed ^ known))


def refuses(schema: jsonschema.Draft202012Validator, document: dict[str, Any]) -> bool:
    more = copy.deepcopy(document)
    more["not in the schema"] = 1
    less = copy.deepcopy(document)
    del less["schema"]
    return not schema.is_valid(more) and not schema.is_valid(less)


def run_json(pawl: servers.Pawl, tally: Tally, name: str, status: int, *arguments: str) -> dict[str, Any] | None:
    """Runs `pawl ARGUMENTS --json` and checks exit status, that it prints one line, and the schema of its command."""
    done = pawl.run(*arguments, "--json")
    tally.check(f"{name}: exit status {status}", done.returncode == status, f"{done.returncode}: {done.stderr[-300:]}")
    try:
        document = json.loads(done.stdout)
    except ValueError:
        tally.check(f"{name}: is JSON", False, done.stdout[:300])
        return None
    tally.check(f"{name}: one line", done.stdout.count("\n") == 1 and done.stdout.endswith("\n"))
    command = "guard-repair" if arguments[:2] == ("guard", "repair") else arguments[0]
    schema = validator(command)
    errors = [f"{error.json_path}: {error.message}" for error in schema.iter_errors(document)]
    tally.check(f"{name}: as docs/schemas/{command}.schema.json says", not errors, "; ".join(errors[:3]))
    tally.check(f"{name}: the schema refuses one field more and one less", refuses(schema, document))
    return document


def write_a_little(url: str) -> int:
    """Returns how many changes it made."""
    api = boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x",
                       aws_secret_access_key="x")
    api.create_table(TableName="users", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}])
    for number in range(20):
        api.put_item(TableName="users", Item={"hashid": {"S": f"A{number:06d}"}, "name": {"S": "山田"}})
    api.update_item(TableName="users", Key={"hashid": {"S": "A000001"}}, UpdateExpression="ADD #v :one",
                    ExpressionAttributeNames={"#v": "_version"}, ExpressionAttributeValues={":one": {"N": "1"}})
    api.delete_item(TableName="users", Key={"hashid": {"S": "A000002"}})
    return 22


def make_work(url: str) -> None:
    """A queue with a message, a bucket, and a function that has failed."""
    def api(service: str) -> Any:
        return boto3.client(service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")

    queue = api("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    api("sqs").send_message(QueueUrl=queue, MessageBody="x")
    api("s3").create_bucket(Bucket="somebodys")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def lambda_handler(event, context):\n    raise ValueError('山田')\n")
    api("lambda").create_function(FunctionName="failing", Runtime="python3.11", Role="arn:aws:iam::000000000000:role/x",
                                  Handler="handler.lambda_handler", Code={"ZipFile": code.getvalue()})
    api("lambda").invoke(FunctionName="failing", Payload=b"{}")


def wait_for(pawl: servers.Pawl, changes: int) -> None:
    deadline = time.monotonic() + SETTLE_S
    while len(list(archive_reader.object_paths(pawl.archive))) < changes and time.monotonic() < deadline:
        time.sleep(0.1)


def damaged_copy(pawl: servers.Pawl, folder: Path) -> Path:
    """A copy of the archive without one object, and with another one cut short."""
    archive = folder / "damaged"
    shutil.copytree(pawl.archive, archive)
    paths = sorted(Path(path) for path in archive_reader.object_paths(str(archive)))
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:-5])
    return archive


def start_on_nothing(pawl: servers.Pawl, data: str) -> None:
    """Makes an empty data directory under the archive that it does not fit, as a person would who lost the disk."""
    pawl.data, pawl.archive_given = data, True
    pawl.start()
    pawl.stop()


def check_gaps(pawl: servers.Pawl, tally: Tally, cleanup: servers.Cleanup, port: int) -> None:
    """A bucket that somebody's function filled, and the server's own table: with its stream, were there one."""
    suite.dummy_credentials()
    store = cleanup.add(ScriptedStore(servers.free_port(port)))
    for name in ["A000001-1", "A000002-0", "A000003-0", "A000003-7", "gone-1"]:
        store.objects[f"logs/{name}.log"] = (b"{}", '"x"')
    for name in ["logs/", "logs/odd", "logs/x-99999999999999999999.log", "logs/A000002-0.log.removed-3"]:
        store.objects[name] = (b"{}", '"x"')
    where = ["gaps", "s3://bucket", "--s3-endpoint", store.url, "--name", "logs/{hashid}-{_version}.log"]
    found = run_json(pawl, tally, "gaps of a bucket", 1, *where)
    tally.check("gaps: the holes", bool(found) and [(h["item"], h["from"], h["to"]) for h in found["gaps"]] ==
                [("A000001", 0, 0), ("A000003", 1, 6), ("gone", 0, 0)])
    found = run_json(pawl, tally, "gaps beside a table", 1, *where, "--table", "users", "--dynamodb-endpoint", pawl.url)
    tally.check("gaps: what the table adds", bool(found) and found["table"]["only_in_bucket"] == 3 and found["table"]["unnamed"] == 18)
    run_json(pawl, tally, "gaps where there is none", 0, *where, "--first-version", "8")
    check_repair(pawl, tally, store, ["repair", *where[1:], "--table", "users", "--dynamodb-endpoint", pawl.url])


def check_repair(pawl: servers.Pawl, tally: Tally, store: ScriptedStore, where: list[str]) -> None:
    """The table's newest version is missing; nothing has the others."""
    store.objects["logs/A000001-0.log"] = store.objects.pop("logs/A000001-1.log")
    before = dict(store.objects)
    found = run_json(pawl, tally, "repair's plan", 1, *where, "--plan")
    tally.check("repair's plan: one can be put, the others are lost", bool(found) and
                [(v["item"], v["from"], v["to"], v["outcome"]) for v in found["versions"]] ==
                [("A000001", 1, 1, "planned"), ("A000003", 1, 6, "lost"), ("gone", 0, 0, "lost")])
    tally.check("repair's plan: nothing was written", store.objects == before)
    found = run_json(pawl, tally, "repair", 1, *where)
    tally.check("repair: what it put", bool(found) and found["counts"]["put"] == 1 and
                set(store.objects) - set(before) == {"logs/A000001-1.log~repaired", ".pawl/probe"})
    found = run_json(pawl, tally, "repair where nothing is missing", 0, *where, "--first-version", "8")
    tally.check("repair where nothing is missing: complete", bool(found) and found["complete"])


def check_guarded(pawl: servers.Pawl, tally: Tally, folder: Path) -> None:
    """An archive of a table that somebody else keeps, with a gap."""
    guarded = str(guarded_archive.with_gap(folder / "guarded"))
    report = run_json(pawl, tally, "verify of a guarded table", 0, "verify", guarded, "--deep")
    tally.check("verify lists the gap", bool(report) and (report["gaps"], report["untied"]) == (1, 0) and
                [(gap["after"], gap["before"]) for gap in report["known_gaps"]] == [("10", "50")])
    tally.check("verify lists what is lost", bool(report) and (report["put_back"], report["open_holes"]) == (1, 0) and
                [(loss["from"], loss["to"]) for loss in report["known_lost"]] == [(3, 3)])
    tally.check("verify lists what was rewritten and is kept", bool(report) and (report["rewritten"], report["deleted"]) == (1, 0) and
                [(kept["version"], kept["object"]) for kept in report["kept_versions"]] == [(1, "points/A-9")])
    done = pawl.run("verify", guarded, "--deep")
    tally.check("verify does not say that nothing is missing", done.returncode == 0 and
                "SOUND but with 1 known gap" in done.stdout and "nothing is missing" not in done.stdout, done.stdout)
    found = run_json(pawl, tally, "history of a guarded item", 0, "history", guarded, "A")
    tally.check("history has versions where there are any",
                bool(found) and [v.get("version") for v in found["versions"]] == [1, 2, None, 4, 5, None, None])
    tally.check("history has what was lost and put back",
                bool(found) and [v["kind"] for v in found["versions"][2:4]] == ["LOST", "PUT-BACK"] and
                (found["versions"][2]["from"], found["versions"][2]["to"], "object" in found["versions"][2]) == (3, 3, False))
    found = run_json(pawl, tally, "history of a version that was rewritten", 0, "history", guarded, "A", "--version", "1")
    tally.check("history has its content from where it is kept",
                bool(found) and [(v.get("kept"), v["image"]["_version"]["N"]) for v in found["versions"]]
                == [(".pawl/kept/0000000000000001", "1")])
    kept = folder / "guarded/.pawl/kept/0000000000000001"
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(b"A", b"B", 1))
    found = run_json(pawl, tally, "history of a version that is damaged", 1, "history", guarded, "A", "--version", "1")
    tally.check("history says that it is damaged, and shows nothing of it",
                bool(found) and [(v.get("damage"), "image" in v) for v in found["versions"]] == [("altered-object", False)])
    done = pawl.run("history", guarded, "A", "--version", "1")
    tally.check("history says so to people", done.returncode == 1 and "DAMAGED: its content is not what its page says" in done.stdout,
                done.stdout)
    kept.write_bytes(whole)
    done = pawl.run("history", guarded, "A", "--version", "2")
    tally.check("history of a version by its attribute", done.returncode == 0 and '"N":"2"' in done.stdout, done.stdout)
    done = pawl.run("restore", guarded, "--data", str(folder / "nothing"))
    tally.check("restore of a guarded table: exit status 2, and why",
                done.returncode == 2 and "somebody else keeps" in done.stderr and "hint" in done.stderr, done.stderr)


def check_guard(pawl: servers.Pawl, tally: Tally, cleanup: servers.Cleanup) -> None:
    """The preflight of a worker, on a scripted engine and store."""
    aws = cleanup.add(ScriptedAws(pawl.binary))
    aws.control("buckets", bucket="bucket")
    where = ["guard", "record", "--archive", "s3://bucket/p", "--s3-endpoint", aws.url, "--dynamodb-endpoint", aws.url, "--preflight"]
    aws.control("tables", table="users")
    found = run_json(pawl, tally, "guard's preflight", 0, *where, "--table", "users", "--version-attribute", "_version")
    tally.check("preflight: what it is", bool(found) and (found["verdict"], found["stream"]["open_shards"]) == ("good", 1))
    tally.check("preflight: a policy", bool(found) and len(found["iam_policy"]["Statement"]) == 5)
    aws.control("tables", table="still", stream=False)
    found = run_json(pawl, tally, "guard's preflight of a table without a stream", 1, *where, "--table", "still")
    tally.check("preflight: refused", bool(found) and found["verdict"] == "refused" and "stream" not in found)


def check_guard_repair(pawl: servers.Pawl, tally: Tally, cleanup: servers.Cleanup, folder: Path) -> None:
    """Version 1 is trimmed before a worker has read it; version 2 is in the table."""
    aws = cleanup.add(ScriptedAws(pawl.binary))
    aws.control("buckets", bucket="bucket")
    aws.control("tables", table="users")
    where = ["--table", "users", "--archive", "s3://bucket/p", "--s3-endpoint", aws.url, "--dynamodb-endpoint", aws.url]

    def count(version: int) -> None:
        aws.control("write", table="users", item={"hashid": {"S": "A"}, "_version": {"N": str(version)}})

    count(0)
    with (folder / "guard.log").open("wb") as log:
        worker = subprocess.Popen([pawl.binary, "guard", "record", *where, "--version-attribute", "_version"], stdout=log, stderr=log)
    deadline = time.monotonic() + SETTLE_S
    versions = 0
    while versions == 0 and time.monotonic() < deadline:
        time.sleep(0.2)
        done = pawl.run("verify", "s3://bucket/p", "--s3-endpoint", aws.url, "--json")
        versions = json.loads(done.stdout)["versions"] if done.stdout else 0
    worker.kill()
    worker.wait()
    tally.check("a worker recorded the first version", versions == 1)
    count(1)
    count(2)
    aws.control("trim", table="users", shard=aws.asked("streams/users")["shards"][0]["id"])
    for name, status, more, outcomes in [("guard repair's plan", 1, ["--plan"], ["lost", "planned"]), ("guard repair", 0, [], ["lost", "put-back"]),
                                         ("guard repair where nothing is missing", 0, [], [])]:
        found = run_json(pawl, tally, name, status, "guard", "repair", *where, *more)
        tally.check(f"{name}: what it entered", bool(found) and [entry["outcome"] for entry in found["entries"]] == outcomes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pawl", default=str(TOP / "build" / "pawl"))
    parser.add_argument("--ports", type=int, default=8260)
    options = parser.parse_args()
    tally = Tally()
    check_alarms(tally)
    with servers.Cleanup() as cleanup:
        folder = Path(cleanup.directory())
        expect = '[tables.points]\nexpect = { bucket = "history", name = "{id}-{v}", deadline = "1s" }\n'
        pawl = cleanup.add(servers.Pawl(options.pawl, options.ports, str(folder), expect))
        pawl.start()
        changes = write_a_little(pawl.url)
        wait_for(pawl, changes)
        client_case.wait_until(lambda: pawl.run("status", "--endpoint", pawl.url).returncode == 0, what="an idle server")
        run_json(pawl, tally, "status of an idle server", 0, "status", "--endpoint", pawl.url)
        make_work(pawl.url)
        client_case.wait_until(lambda: any(queue["visible"] for queue in pawl.status()["queues"]), what="word of the queue")
        found = run_json(pawl, tally, "status with queues, buckets and functions", 0, "status", "--endpoint", pawl.url)
        tally.check("status has them", bool(found) and
                    [(q["queue"], q["visible"], "oldest_age_ms" in q) for q in found["queues"]] == [("jobs", 1, True)] and
                    [(f["function"], f["ended"]["failed"], f["last_failure"]["outcome"]) for f in found["functions"]] ==
                    [("failing", 1, "failed")] and found["buckets"] == {"count": 2} and
                    [(e["table"], "incarnation" in e) for e in found["expectations"]] == [("points", False)], json.dumps(found)[:600])
        check_gaps(pawl, tally, cleanup, options.ports + 20)
        pawl.stop()
        done = pawl.run("status", "--endpoint", pawl.url, "--json")
        tally.check("status without a server: exit status 2, and why", done.returncode == 2 and bool(done.stderr))
        sound = run_json(pawl, tally, "verify of a sound archive", 0, "verify", pawl.archive, "--deep")
        tally.check("verify counts every change", bool(sound) and sound["versions"] == changes)
        found = run_json(pawl, tally, "history of one item", 0, "history", pawl.archive, "A000001")
        tally.check("history has both versions", bool(found) and [v["version"] for v in found["versions"]] == [0, 1])
        rebuilt = str(folder / "rebuilt")
        restored = run_json(pawl, tally, "restore of a sound archive", 0, "restore", pawl.archive, "--data", rebuilt)
        tally.check("restore counts items and changes", bool(restored) and
                    (restored["items"], restored["removed_items"], restored["changes"]) == (19, 1, changes))
        done = pawl.run("restore", pawl.archive, "--data", rebuilt, "--json")
        tally.check("restore into a used directory: exit status 2, and why",
                    done.returncode == 2 and "already" in done.stderr and not done.stdout)
        archive = "dir:" + pawl.archive
        agreed = run_json(pawl, tally, "adopt where all agree", 0, "adopt", "--data", rebuilt, "--archive", archive)
        tally.check("adopt: nothing to do", bool(agreed) and agreed["outcome"] == "nothing-to-adopt")
        shutil.rmtree(rebuilt)
        start_on_nothing(pawl, rebuilt)
        adopted = run_json(pawl, tally, "adopt over lost data", 0, "adopt", "--data", rebuilt, "--archive", archive, "--yes")
        tally.check("adopt names the table", bool(adopted) and [d["table"] for d in adopted["disagreements"]] == ["users"])
        damaged = run_json(pawl, tally, "verify of a damaged copy", 1, "verify", str(damaged_copy(pawl, folder)), "--deep")
        tally.check("verify names both damages", bool(damaged) and damaged["findings_total"] >= 2)
        check_guarded(pawl, tally, folder)
        check_guard(pawl, tally, cleanup)
        check_guard_repair(pawl, tally, cleanup, folder)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
