"""A supervised bucket: nothing that clients replace or delete in it is gone, what is below .pawl/ is not theirs, and `pawl verify`
tells what was written again from what is lost. The bucket is marked, and its ledger written, by supervised_bucket.cc."""

import json
import os
import subprocess

from blackbox import servers, suite
from shared import BucketCase, client

LARGE = b"large" * 50_000


class SupervisedCase(BucketCase):
    """A server of its own, since it must stand still while its bucket is worked on."""

    def setUp(self):
        binary = suite.current().require_binary()
        self.tool = os.path.join(os.path.dirname(os.path.abspath(binary)), "supervised_bucket")
        self.assertTrue(os.path.exists(self.tool), f"{self.tool} is not built: ninja -C build supervised_bucket")
        cleanup = suite.current().cleanup
        self.pawl = cleanup.add(servers.Pawl(binary, suite.current().ports + 40, cleanup.directory()))
        self.pawl.start()
        self.addCleanup(self.pawl.stop)
        self.bucket = "logs"
        self.work("supervise")
        self.s3 = client(self.pawl.url)

    def work(self, *arguments):
        """Done while the server does not run."""
        self.assertEqual(self.pawl.stop(), 0, self.pawl.log_end())
        done = subprocess.run([self.tool, self.pawl.data, self.bucket, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.pawl.start()
        return done.stdout

    def verify(self, *more):
        done = self.pawl.run("verify", f"s3://{self.bucket}", "--s3-endpoint", self.pawl.url, "--json", *more)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def kept(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=".pawl/kept/")
        return [self.body(o["Key"]) for page in pages for o in page.get("Contents", [])]


class Kept(SupervisedCase):
    def test_every_way_to_replace_or_delete(self):
        self.put("a", b"put")
        self.put("a", b"put again")
        self.put("other", LARGE)
        self.s3.copy_object(Bucket=self.bucket, Key="a", CopySource={"Bucket": self.bucket, "Key": "other"})
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="a")["UploadId"]
        part = self.s3.upload_part(Bucket=self.bucket, Key="a", UploadId=upload, PartNumber=1, Body=b"in parts")
        self.s3.complete_multipart_upload(Bucket=self.bucket, Key="a", UploadId=upload,
                                          MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        self.s3.delete_object(Bucket=self.bucket, Key="a")
        self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "other"}]})
        self.assertEqual(self.kept(), [b"put", b"put again", LARGE, b"in parts", LARGE])
        # The same bytes once more are no other content.
        self.put("b", b"same")
        self.put("b", b"same")
        self.assertEqual(len(self.kept()), 5)
        # And over a crash.
        self.pawl.kill()
        self.pawl.start()
        self.assertEqual(self.kept(), [b"put", b"put again", LARGE, b"in parts", LARGE])

    def test_what_is_pawls_is_read_and_not_written(self):
        self.put("a", b"one")
        self.put("a", b"two")
        key = ".pawl/kept/0000000000000001"
        for name in (key, ".pawl/archive.json", ".pawl/new"):
            self.refused("AccessDenied", self.put, name, b"mine", status=403)
            self.refused("AccessDenied", self.put, name, LARGE, status=403)
            self.refused("AccessDenied", self.s3.delete_object, Bucket=self.bucket, Key=name, status=403)
            self.refused("AccessDenied", self.s3.create_multipart_upload, Bucket=self.bucket, Key=name, status=403)
            self.refused("AccessDenied", self.s3.copy_object, Bucket=self.bucket, Key=name,
                         CopySource={"Bucket": self.bucket, "Key": "a"}, status=403)
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": key}]})
        self.assertEqual([error["Code"] for error in answer["Errors"]], ["AccessDenied"])
        self.assertEqual(self.body(key), b"one")
        self.assertIn(b"pawl-archive/1", self.body(".pawl/archive.json"))
        error = self.refused("AccessDenied", self.s3.delete_bucket, Bucket=self.bucket, status=403)
        self.assertIn("supervised", error["Error"]["Message"])


class Proven(SupervisedCase):
    def test_rewritten_and_deleted_are_told_from_lost(self):
        names = [f"logs/A-{n}.log" for n in range(4)]
        for name in names:
            self.put(name, f"content of {name}".encode())
        self.work("list", *names)
        report = self.verify("--deep")
        self.assertEqual((report["verdict"], report["foreign"], report["kept"]), ("sound", 4, 0), report["findings"])
        # Written again, with another size and with the same; deleted.
        self.put(names[1], b"other")
        self.put(names[2], f"CONTENT of {names[2]}".encode())
        self.s3.delete_object(Bucket=self.bucket, Key=names[3])
        report = self.verify("--deep")  # not entered yet
        self.assertEqual((report["verdict"], report["kept"], report["kept_unsealed"]), ("sound", 0, 3), report["findings"])
        for version in ("1", "2", "3"):
            done = self.pawl.run("history", f"s3://{self.bucket}", "A", "--version", version, "--s3-endpoint", self.pawl.url)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(f"content of {names[int(version)]}", done.stdout)
            self.assertIn(f"kept as .pawl/kept/000000000000000{version}", done.stdout)
        self.assertEqual(json.loads(self.work("enter")), {"kept": 3, "kept_bytes": 3 * len(f"content of {names[0]}"), "entered": 3})
        report = self.verify("--deep")
        self.assertEqual(report["verdict"], "sound", report["findings"])
        self.assertEqual((report["kept"], report["kept_unsealed"], report["rewritten"], report["deleted"]), (3, 0, 2, 1))
        self.assertEqual({(v["object"], v["version"], v["deleted"]) for v in report["kept_versions"]},
                         {(names[1], 1, False), (names[2], 2, False), (names[3], 3, True)})
        report = self.verify()
        self.assertEqual((report["verdict"], report["rewritten"], report["deleted"]), ("sound", 1, 1))
        done = self.pawl.run("verify", f"s3://{self.bucket}", "--s3-endpoint", self.pawl.url)
        self.assertIn(f"{names[1]} was rewritten, and what it held is kept as .pawl/kept/", done.stdout)
        done = self.pawl.run("history", f"s3://{self.bucket}", "A", "--version", "1", "--s3-endpoint", self.pawl.url)
        self.assertIn(f"content of {names[1]}", done.stdout)
        self.assertIn("kept as .pawl/kept/0000000000000001", done.stdout)
        # Nothing is entered twice, and more goes on behind it.
        self.put(names[1], b"once more")
        self.assertEqual(json.loads(self.work("enter"))["entered"], 4)
        self.assertEqual(json.loads(self.work("enter"))["entered"], 4)
        self.assertEqual(self.verify("--deep")["verdict"], "sound")

    def test_what_took_a_place_must_stand_there(self):
        names = [f"logs/A-{n}.log" for n in range(3)]
        for name in names:
            self.put(name, f"content of {name}".encode())
        self.work("list", *names)
        self.put(names[0], b"in between")
        self.put(names[0], b"written again")
        self.put(names[1], LARGE)
        self.s3.delete_object(Bucket=self.bucket, Key=names[1])
        self.put(names[2], LARGE)
        self.work("enter")
        copy = suite.current().cleanup.directory()
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        for name in [o["Key"] for page in pages for o in page.get("Contents", [])]:
            os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
            with open(os.path.join(copy, name), "wb") as file:
                file.write(self.body(name))

        def verify():
            done = self.pawl.run("verify", copy, "--deep", "--json")
            report = json.loads(done.stdout)
            return [(one["kind"], one["object"]) for one in report["findings"]]
        self.assertEqual(verify(), [])
        for name, content in ((names[0], b"written agaim"), (names[2], LARGE[1:] + b"x")):
            with open(os.path.join(copy, name), "wb") as file:
                file.write(content)
            self.assertEqual(verify(), [("altered-object", name)])
            os.remove(os.path.join(copy, name))
            self.assertEqual(verify(), [("missing-object", name)])
            with open(os.path.join(copy, name), "wb") as file:
                file.write(self.body(name))
        os.remove(os.path.join(copy, ".pawl/kept/0000000000000003"))
        done = self.pawl.run("history", copy, "A", "--version", "1", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["versions"][0]["damage"]), (1, "missing-object"))
