"""`pawl gaps` on a bucket that somebody's function filled: on Ceph's gateway, as a user who may list it and nothing else."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions

import ceph
import shared
from blackbox import servers, suite

HERE = os.path.dirname(os.path.abspath(__file__))
READER = {"AWS_ACCESS_KEY_ID": "pawlreader", "AWS_SECRET_ACCESS_KEY": "pawlreadersecret"}
LOG = re.compile(r"logs/(.+)-(\d+)\.log", re.S)
# Keys that a shell, a terminal, an XML or a JSON document could trip over.
HOSTILE = ["A-1", "A-1-1", "-", "\x1b[31mred", "日本/山田", "<Key>&amp;\"'", "%2F", "..", "/", " ", "a\nb", "{hashid}", "é" * 400]


def name(key, version):
    """What the article's function does."""
    return "logs/%s-%s.log" % (key, version)


def holes_of(names):
    """Item to list of (from, to), by brute force."""
    versions = defaultdict(set)
    for each in names:
        match = LOG.fullmatch(each)
        if match and int(match[2]) < 1 << 64:
            versions[match[1]].add(int(match[2]))
    found = {}
    for item, there in versions.items():
        due, holes = 0, []
        for version in sorted(there):
            if version > due:
                holes.append((due, version - 1))
            due = version + 1
        if holes:
            found[item] = holes
    return found


def gaps(*arguments, environment=None, **more):
    return subprocess.run([suite.current().require_binary(), "gaps", *arguments], capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, **(environment or {})}, **more)


def holes_in(document):
    found = defaultdict(list)
    for hole in document["gaps"]:
        found[hole["item"]].append((hole["from"], hole["to"]))
    return dict(found)


class Bucket(unittest.TestCase):
    """A few thousand names, some lost."""

    bucket = "function-log"
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.url = shared.ceph.url
        shared.ceph.add_user("reader", READER)
        cls.owner = ceph.client(cls.url)
        cls.owner.create_bucket(Bucket=cls.bucket)
        cls.owner.put_bucket_policy(Bucket=cls.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/reader"]}, "Action": "s3:ListBucket",
             "Resource": f"arn:aws:s3:::{cls.bucket}"}]}))
        names = [name(f"A{number:06d}", version) for number in range(200) for version in range(13)
                 if (number * 31 + version * 7) % 97 and not (number == 1 and version in (3, 4))]
        for number, key in enumerate(HOSTILE):
            names += [name(key, version) for version in (0, 1, 3, 12) if number % 3 or version != 0]
        cls.odd = ["logs/readme.txt", "logs/A000001-x.log", "logs/A000001-99999999999999999999.log"]
        cls.names = names + cls.odd
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda each: cls.owner.put_object(Bucket=cls.bucket, Key=each, Body=b"{}"), cls.names + ["other/x-7.log"]))

    def state(self):
        pages = self.owner.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [(o["Key"], o["ETag"], o["LastModified"], o["Size"]) for page in pages for o in page.get("Contents", [])]

    def as_reader(self, *arguments):
        return gaps(f"s3://{self.bucket}", "--s3-endpoint", self.url, *arguments, environment=READER)

    def test_every_hole_and_nothing_changed(self):
        before = self.state()
        done = self.as_reader("--name", "logs/{hashid}-{_version}.log", "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(holes_in(document), holes_of(self.names))
        self.assertIn((3, 4), holes_in(document)["A000001"])
        self.assertEqual(document["names"], len(self.names))
        self.assertEqual(document["versions"], len(self.names) - len(self.odd))
        self.assertEqual(document["not_matching"]["other"], {"count": 2, "examples": ["logs/A000001-x.log", "logs/readme.txt"]})
        self.assertEqual(document["not_matching"]["too_large"]["count"], 1)
        self.assertEqual(self.state(), before)

    def test_the_reader_can_only_list(self):
        reader = ceph.client(self.url, READER)
        for call in (lambda: reader.get_object(Bucket=self.bucket, Key=self.names[0]),
                     lambda: reader.put_object(Bucket=self.bucket, Key="logs/new-0.log", Body=b"x")):
            with self.assertRaises(botocore.exceptions.ClientError):
                call()

    def test_text_for_people(self):
        done = self.as_reader("--name", "logs/{hashid}-{_version}.log")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("A000001: 3-4 missing", done.stdout)
        self.assertIn("GAPS: ", done.stdout)
        self.assertIn("Beware: \"logs/--3.log\" is read as a key that ends with '-'", done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(done.stderr, "")
        shown = [line for line in done.stdout.splitlines() if line.endswith(" missing")]
        total = sum(len(holes) for holes in holes_of(self.names).values())
        self.assertEqual(len(shown), min(total, 100))
        if total > 100:
            self.assertIn(f"... and {total - 100} more; --json lists all", done.stdout)

    def test_below_a_prefix(self):
        done = gaps(f"s3://{self.bucket}/logs/", "--name", "{hashid}-{_version}.log", "--s3-endpoint", self.url, "--json", environment=READER)
        self.assertEqual(holes_in(json.loads(done.stdout)), holes_of(self.names))
        done = gaps(f"s3://{self.bucket}", "--name", "other/{id}-{v}.log", "--first-version", "7", "--s3-endpoint", self.url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("NO GAP", done.stdout)

    def refused(self, text, *arguments, environment=None):
        done = gaps(*arguments, "--s3-endpoint", self.url, environment=environment)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(text, done.stderr)
        return done.stderr

    def test_what_to_do(self):
        log = ("--name", "logs/{hashid}-{_version}.log")
        self.refused("check the bucket's name", "s3://no-such-bucket", *log)
        self.refused("s3:ListBucket on arn:aws:s3:::pawl-test", "s3://pawl-test", *log, environment=READER)
        self.refused("holds no objects", f"s3://{self.bucket}/nothing", *log)
        text = self.refused("no name in", f"s3://{self.bucket}/other", "--name", "logs/{hashid}-{_version}.log")
        self.assertIn("try --name '{key}-{version}.log'", text)
        self.assertIn('"x-7.log"', text)
        self.refused("nothing stands between them", f"s3://{self.bucket}", "--name", "{a}{version}")
        self.refused("is no bucket", "dir:/x", *log)
        self.refused("InvalidAccessKeyId", f"s3://{self.bucket}", *log, environment={"AWS_ACCESS_KEY_ID": "nobody"})


class Large(unittest.TestCase):
    """A bucket that exists as a rule only: how fast, and with how much memory."""

    @suite.alone
    def test_a_million_names(self):
        self.measure(200_000, [])

    def measure(self, items, more, rate_min=50_000, memory_mib_max=256):
        context = suite.current()
        port = servers.free_port(context.ports + 95)
        server = subprocess.Popen([sys.executable, os.path.join(HERE, "listing_server.py"), str(port), str(items)])
        try:
            self.wait_for(port)
            program = [context.require_binary(), "gaps", "s3://bucket", "--name", "logs/{hashid}-{_version}.log", "--s3-endpoint",
                       f"http://127.0.0.1:{port}", "--json", *more]
            begun = time.monotonic()
            with tempfile.TemporaryFile("w+") as out:
                process = subprocess.Popen(program, stdout=out)
                _, status, used = os.wait4(process.pid, 0)
                seconds = time.monotonic() - begun
                process.returncode = os.waitstatus_to_exitcode(status)
                out.seek(0)
                document = json.load(out)
        finally:
            server.kill()
            server.wait()
        self.assertEqual(process.returncode, 1)
        self.assertEqual(document["names"], items * 5)
        self.assertEqual(holes_in(document), {f"A{number:07d}": [(2, 3)] for number in range(999, items, 1000)})
        print(f"{items * 5} names in {seconds:.2f} s ({items * 5 / seconds:.0f}/s), {used.ru_utime + used.ru_stime:.2f} s of processor, "
              f"{used.ru_maxrss / 1024:.0f} MiB")
        self.assertGreater(items * 5 / seconds, rate_min)
        self.assertLess(used.ru_maxrss / 1024, memory_mib_max)

    def wait_for(self, port):
        for _ in range(1200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.1)
        self.fail("the listing server does not listen")
