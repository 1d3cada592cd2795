"""The archive as a bucket: read like any other, by the same clients, and changed by none."""

import json
import os
import unittest

from blackbox import servers, suite
from shared import BucketCase, archived, client, table_of


class Archive(BucketCase):
    @classmethod
    def setUpClass(cls):
        suite.current().require_pawl()
        cls.table = "history"
        dynamodb = table_of(suite.current().url, cls.table)
        for version in range(3):
            for item in ("A000001", "A000002"):
                dynamodb.put_item(TableName=cls.table, Item={"hashid": {"S": item}, "n": {"N": str(version)}})
        cls.keys = [f"{cls.table}/A00000{item}-{version}.json" for item in (1, 2) for version in range(3)]

    def test_it_reads_like_any_other(self):
        self.assertEqual(archived(self.s3, 6, Prefix=self.table + "/"), self.keys)
        self.assertIn("archive", [b["Name"] for b in self.s3.list_buckets()["Buckets"]])
        self.s3.head_bucket(Bucket="archive")
        got = self.s3.get_object(Bucket="archive", Key=self.keys[1])
        body = got["Body"].read()
        self.assertEqual(json.loads(body)["new"]["n"], {"N": "1"})
        with open(os.path.join(suite.current().require_pawl().archive, self.keys[1]), "rb") as file:
            self.assertEqual(body, file.read())
        head = self.s3.head_object(Bucket="archive", Key=self.keys[1])
        self.assertEqual((head["ETag"], head["ContentLength"], head["ContentType"]), (got["ETag"], len(body), "application/json"))
        part = self.s3.get_object(Bucket="archive", Key=self.keys[1], Range="bytes=2-9")
        self.assertEqual(part["Body"].read(), body[2:10])
        self.refused("304", self.s3.get_object, Bucket="archive", Key=self.keys[1], IfNoneMatch=got["ETag"])
        self.refused("PreconditionFailed", self.s3.get_object, Bucket="archive", Key=self.keys[1], IfMatch='"x"')
        self.refused("NoSuchKey", self.s3.get_object, Bucket="archive", Key=self.table + "/A000009-0.json")

    def test_pages_and_folders(self):
        archived(self.s3, 6, Prefix=self.table + "/")
        one_by_one = []
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket="archive", Prefix=self.table + "/", PaginationConfig={"PageSize": 1}):
            one_by_one += [o["Key"] for o in page.get("Contents", [])]
        self.assertEqual(one_by_one, self.keys)
        folders = self.s3.list_objects_v2(Bucket="archive", Delimiter="/")
        self.assertIn({"Prefix": self.table + "/"}, folders["CommonPrefixes"])
        self.assertNotIn("Contents", folders)
        listed = self.s3.list_objects(Bucket="archive", Marker=self.keys[3])["Contents"]
        self.assertEqual([o["Key"] for o in listed][:2], self.keys[4:])

    def test_pawls_own_files_are_hidden(self):
        names = archived(self.s3, 6)
        self.assertFalse([n for n in names if n.startswith(".")])
        for key in (".pawl/archive.json", ".pawl/lock", ".suspect/x", "../FORMAT", self.table + "/../.pawl/archive.json", "/etc/passwd"):
            self.refused("NoSuchKey", self.s3.get_object, Bucket="archive", Key=key)

    def test_nothing_changes_it(self):
        keys = archived(self.s3, 6, Prefix=self.table + "/")
        for call, arguments in (
                (self.s3.put_object, dict(Key=self.keys[0], Body=b"other")),
                (self.s3.put_object, dict(Key="new", Body=b"L" * 900_000)),
                (self.s3.delete_object, dict(Key=self.keys[0])),
                (self.s3.delete_objects, dict(Delete={"Objects": [{"Key": self.keys[0]}]})),
                (self.s3.copy_object, dict(Key=self.keys[0], CopySource=f"{self.bucket}/k")),
                (self.s3.create_multipart_upload, dict(Key="new")),
                (self.s3.create_bucket, {}), (self.s3.delete_bucket, {})):
            error = self.refused("AccessDenied", call, Bucket="archive", status=403, **arguments)
            self.assertIn("history is never overwritten", error["Error"]["Message"])
        self.assertEqual(archived(self.s3, 6, Prefix=self.table + "/"), keys)

    def test_copies_out_of_it(self):
        archived(self.s3, 6, Prefix=self.table + "/")
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=f"archive/{self.keys[2]}")
        self.assertEqual(self.body("copy"), self.s3.get_object(Bucket="archive", Key=self.keys[2])["Body"].read())

    def test_a_name_that_can_not_be_a_path_there(self):
        """`dir` is an object, and then `dir/x` is one, too: it stands under a hash, and reads like the rest."""
        context = suite.current()
        config = '[tables.one]\nnames = "{p}"\n[tables.two]\nnames = "dir/{p}"\n'
        pawl = context.cleanup.add(servers.Pawl(context.binary, context.ports, context.cleanup.directory(), config)).start()
        s3 = client(pawl.url)
        for table, value in (("one", "dir"), ("two", "x"), ("one", "dir-z")):
            table_of(pawl.url, table).put_item(TableName=table, Item={"hashid": {"S": value}, "p": {"S": value}})
            archived(s3, {"dir": 1, "x": 2, "dir-z": 3}[value])
        self.assertEqual(archived(s3, 3), ["dir", "dir-z", "dir/x"])
        self.assertTrue(os.path.isfile(os.path.join(pawl.archive, "dir")))
        self.assertEqual(json.loads(s3.get_object(Bucket="archive", Key="dir/x")["Body"].read())["key"], {"hashid": {"S": "x"}})
        self.assertEqual([p["Prefix"] for p in s3.list_objects_v2(Bucket="archive", Delimiter="/")["CommonPrefixes"]], ["dir/"])


class ArchiveName(unittest.TestCase):
    def server(self, config=None, archive=None):
        context = suite.current()
        context.require_binary()
        return context.cleanup.add(servers.Pawl(context.binary, context.ports, context.cleanup.directory(), config, archive))

    def names(self, pawl):
        return [b["Name"] for b in client(pawl.url).list_buckets()["Buckets"]]

    def test_another_name_and_none(self):
        pawl = self.server('[server]\narchive_bucket = "history"\n').start()
        self.assertEqual(self.names(pawl), ["history"])
        client(pawl.url).create_bucket(Bucket="archive")
        pawl.kill()
        with open(pawl.config, "w", encoding="utf-8") as file:
            file.write('[server]\narchive_bucket = ""\n')
        pawl.start()
        self.assertEqual(self.names(pawl), ["archive"])
        client(pawl.url).put_object(Bucket="archive", Key="mine", Body=b"x")
        client(pawl.url).create_bucket(Bucket="history")

    def test_a_clients_bucket_stays_the_clients(self):
        pawl = self.server('[server]\narchive_bucket = ""\n').start()
        s3 = client(pawl.url)
        s3.create_bucket(Bucket="archive")
        s3.put_object(Bucket="archive", Key="mine", Body=b"x")
        pawl.stop()
        os.remove(pawl.config)
        pawl.config = None
        pawl.start()
        self.assertEqual(s3.get_object(Bucket="archive", Key="mine")["Body"].read(), b"x")
        s3.put_object(Bucket="archive", Key="mine", Body=b"y")
        with open(pawl.log_path, encoding="utf-8") as log:
            self.assertIn("a client's bucket has its name", log.read())
