"""boto3: buckets, objects, conditions, ranges, checksums, listing, copies, presigned URLs."""

import base64
import datetime
import hashlib
import os
import threading
import unittest
import urllib.error
import urllib.request
import zlib

from blackbox import suite
from shared import BucketCase, client, fresh

SIZES = (0, 1, 2048, 2049, 65536, 65537, 300_000, 5_000_000)


class Buckets(BucketCase):
    def test_life_of_a_bucket(self):
        self.assertIn(self.bucket, [b["Name"] for b in self.s3.list_buckets()["Buckets"]])
        self.s3.head_bucket(Bucket=self.bucket)
        self.assertIsNone(self.s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"])
        self.refused("BucketAlreadyOwnedByYou", self.s3.create_bucket, Bucket=self.bucket, status=409)
        self.put("k")
        self.refused("BucketNotEmpty", self.s3.delete_bucket, Bucket=self.bucket, status=409)
        self.s3.delete_object(Bucket=self.bucket, Key="k")
        self.s3.delete_bucket(Bucket=self.bucket)
        self.refused("NoSuchBucket", self.s3.delete_bucket, Bucket=self.bucket, status=404)
        self.refused("404", self.s3.head_bucket, Bucket=self.bucket)
        self.refused("NoSuchBucket", self.put, "k", status=404)
        self.refused("NoSuchBucket", self.put, "k", b"x" * 100_000, status=404)
        self.refused("NoSuchBucket", self.get, "k", status=404)
        self.refused("NoSuchBucket", self.s3.list_objects_v2, Bucket=self.bucket, status=404)

    def test_regions(self):
        elsewhere = fresh()
        self.s3.create_bucket(Bucket=elsewhere, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
        self.assertEqual(self.s3.get_bucket_location(Bucket=elsewhere)["LocationConstraint"], "ap-northeast-1")

    def test_names(self):
        for name in ("status", "metrics", "healthz", "console", "2015-03-31", "Capital", "a..b", "192.168.5.4", "ab", "-ab"):
            with self.subTest(name):
                import botocore.handlers
                s3 = client()
                s3.meta.events.unregister("before-parameter-build.s3", botocore.handlers.validate_bucket_name)
                self.refused("InvalidBucketName", s3.create_bucket, Bucket=name) if name not in ("status", "metrics", "healthz") else \
                    self.assertRaises(Exception, s3.create_bucket, Bucket=name)

    def test_what_is_not_there_says_so(self):
        for call, more in ((self.s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Enabled"}}),
                           (self.s3.get_bucket_policy, {}), (self.s3.get_bucket_lifecycle_configuration, {}),
                           (self.s3.list_object_versions, {}), (self.s3.get_object_lock_configuration, {}),
                           (self.s3.put_bucket_acl, {"ACL": "public-read"}), (self.s3.get_bucket_tagging, {})):
            with self.subTest(call.__name__):
                error = self.refused("NotImplemented", call, Bucket=self.bucket, status=501, **more)
                self.assertIn("not implemented by Pawl", error["Error"]["Message"])
        self.refused("NotImplemented", self.put, "k", ServerSideEncryption="AES256")
        self.refused("NotImplemented", self.put, "k", Tagging="a=b")
        self.refused("NotImplemented", self.put, "k", ACL="public-read")
        self.put("k")
        self.assertEqual(self.s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"], [])
        self.refused("NotImplemented", self.s3.put_object_tagging, Bucket=self.bucket, Key="k", Tagging={"TagSet": []})
        self.assertNotIn("Status", self.s3.get_bucket_versioning(Bucket=self.bucket))
        self.assertEqual(self.s3.get_bucket_acl(Bucket=self.bucket)["Grants"][0]["Permission"], "FULL_CONTROL")


class Objects(BucketCase):
    def test_every_size_comes_back(self):
        for size in SIZES:
            with self.subTest(size):
                body = os.urandom(size)
                etag = '"' + hashlib.md5(body).hexdigest() + '"'
                self.assertEqual(self.put("k", body)["ETag"], etag)
                got = self.get("k")
                self.assertEqual((got["Body"].read(), got["ETag"], got["ContentLength"]), (body, etag, size))
                head = self.s3.head_object(Bucket=self.bucket, Key="k")
                self.assertEqual((head["ETag"], head["ContentLength"]), (etag, size))
                self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource={"Bucket": self.bucket, "Key": "k"})
                self.assertEqual(self.body("copy"), body)

    def test_after_a_restart(self):
        bodies = {f"size {size}": os.urandom(size) for size in SIZES}
        for key, body in bodies.items():
            self.put(key, body)
        for how in ("kill", "stop"):
            getattr(suite.current().require_pawl(), how)()
            suite.current().pawl.start()
            for key, body in bodies.items():
                self.assertEqual(self.body(key), body, key)
            listed = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]
            self.assertEqual({o["Key"]: o["Size"] for o in listed}, {k: len(b) for k, b in bodies.items()})

    def test_ranges(self):
        for size in (10, 3000, 200_000):
            body = os.urandom(size)
            self.put("k", body)
            for first, last in ((0, 0), (1, 5), (size - 3, size - 1), (4, size + 100)):
                got = self.get("k", Range=f"bytes={first}-{last}")
                self.assertEqual(got["Body"].read(), body[first:last + 1])
                self.assertEqual(got["ContentRange"], f"bytes {first}-{min(last, size - 1)}/{size}")
                self.assertEqual(got["ResponseMetadata"]["HTTPStatusCode"], 206)
            self.assertEqual(self.body("k", Range="bytes=-4"), body[-4:])
            self.assertEqual(self.body("k", Range="bytes=7-"), body[7:])
            self.assertEqual(self.body("k", Range="bytes=0-1,3-4"), body)
            self.refused("InvalidRange", self.get, "k", Range=f"bytes={size}-", status=416)

    def test_conditions_of_reads(self):
        etag = self.put("k", b"one")["ETag"]
        modified = self.s3.head_object(Bucket=self.bucket, Key="k")["LastModified"]
        hour = datetime.timedelta(hours=1)
        self.assertEqual(self.body("k", IfMatch=etag), b"one")
        self.assertEqual(self.body("k", IfNoneMatch='"other"'), b"one")
        self.assertEqual(self.body("k", IfModifiedSince=modified - hour), b"one")
        self.assertEqual(self.body("k", IfUnmodifiedSince=modified + hour), b"one")
        self.refused("PreconditionFailed", self.get, "k", IfMatch='"other"', status=412)
        self.refused("304", self.get, "k", IfNoneMatch=etag, status=304)
        self.refused("304", self.get, "k", IfModifiedSince=modified, status=304)
        self.refused("PreconditionFailed", self.get, "k", IfUnmodifiedSince=modified - hour, status=412)
        self.assertEqual(self.body("k"), b"one")

    def test_metadata_and_headers(self):
        sent = {"ContentType": "text/plain; charset=utf-8", "CacheControl": "max-age=5", "ContentDisposition": "attachment",
                "ContentEncoding": "gzip", "ContentLanguage": "ja", "Metadata": {"one": "1", "two": "zwei"}}
        self.put("k", b"x", **sent)
        for got in (self.get("k"), self.s3.head_object(Bucket=self.bucket, Key="k")):
            self.assertEqual({name: got[name] for name in sent}, sent)
        self.put("plain")
        self.assertEqual(self.get("plain")["ContentType"], "binary/octet-stream")
        self.assertEqual(self.get("k", ResponseContentType="a/b")["ContentType"], "a/b")
        self.s3.copy_object(Bucket=self.bucket, Key="k", CopySource=f"{self.bucket}/k", MetadataDirective="REPLACE", Metadata={"new": "3"})
        self.assertEqual(self.get("k")["Metadata"], {"new": "3"})
        self.refused("InvalidRequest", self.s3.copy_object, Bucket=self.bucket, Key="k", CopySource=f"{self.bucket}/k")
        self.refused("MetadataTooLarge", self.put, "k", Metadata={"a": "b" * 2100})

    def test_checksums(self):
        body = b"checked" * 20_000
        crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        self.put("k", body, ChecksumCRC32=crc)
        self.assertEqual(self.get("k", ChecksumMode="ENABLED")["ChecksumCRC32"], crc)
        self.refused("BadDigest", self.put, "k", body + b"!", ChecksumCRC32=crc)
        sha = base64.b64encode(hashlib.sha256(body).digest()).decode()
        self.assertEqual(self.put("k", body, ChecksumSHA256=sha)["ChecksumSHA256"], sha)
        for algorithm in ("CRC32", "SHA1", "SHA256"):  # boto3 computes them; over http it does not use a trailer
            self.put("k", body, ChecksumAlgorithm=algorithm)
            self.assertIn("Checksum" + algorithm, self.get("k", ChecksumMode="ENABLED"))
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        self.put("k", body, ContentMD5=md5)
        self.refused("BadDigest", self.put, "k", b"other", ContentMD5=md5)
        self.refused("InvalidDigest", self.put, "k", b"other", ContentMD5="AAAA")
        self.assertEqual(self.body("k"), body)

    def test_keys(self):
        keys = ["a", "a/b", "a//b", "/a", "ä/ö ü", "a+b c&d=e", "日本語", "a%20b", "~", "..", "a/../b", "x" * 1024, "a\nb", "<&>\"'", "?#"]
        for key in keys:
            self.put(key, key.encode())
        for key in keys:
            self.assertEqual(self.body(key), key.encode())
        listed = [o["Key"] for o in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]]
        self.assertEqual(listed, sorted(keys, key=str.encode))
        listed = [o["Key"] for o in self.s3.list_objects(Bucket=self.bucket)["Contents"]]
        self.assertEqual(listed, sorted(keys, key=str.encode))
        self.refused("KeyTooLongError", self.put, "x" * 1025)
        result = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": k} for k in keys if k != "a\nb"]})
        self.assertEqual(len(result["Deleted"]), len(keys) - 1)
        self.assertEqual([o["Key"] for o in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]], ["a\nb"])

    def test_deletions(self):
        self.put("k", b"x" * 100_000)
        self.s3.delete_object(Bucket=self.bucket, Key="k")
        self.s3.delete_object(Bucket=self.bucket, Key="k")
        self.refused("NoSuchKey", self.get, "k", status=404)
        self.refused("404", self.s3.head_object, Bucket=self.bucket, Key="k", status=404)
        result = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "never"}], "Quiet": True})
        self.assertNotIn("Deleted", result)
        self.assertNotIn("Errors", result)


def with_header(s3, operation, name, value):
    """Debian's boto3 is older than conditional writes: the header itself."""
    def add(request, **_):
        request.headers[name] = value
    event = f"before-sign.s3.{operation}"
    s3.meta.events.register(event, add)
    return lambda: s3.meta.events.unregister(event, add)


class ConditionalWrites(BucketCase):
    def test_if_none_match(self):
        done = with_header(self.s3, "PutObject", "If-None-Match", "*")
        for body in (b"small", b"large" * 100_000):
            key = f"k{len(body)}"
            self.put(key, body)
            self.refused("PreconditionFailed", self.put, key, b"other", status=412)
            self.refused("PreconditionFailed", self.put, key, b"other" * 50_000, status=412)
            self.assertEqual(self.body(key), body)
        done()

    def test_if_match(self):
        etag = self.put("k", b"one")["ETag"]
        done = with_header(self.s3, "PutObject", "If-Match", etag)
        two = self.put("k", b"two")["ETag"]
        self.assertNotEqual(two, etag)
        self.refused("PreconditionFailed", self.put, "k", b"three", status=412)
        self.refused("NoSuchKey", self.put, "absent", b"x", status=404)
        done()
        self.assertEqual(self.body("k"), b"two")

    def test_of_many_exactly_one_wins(self):
        with_header(self.s3, "PutObject", "If-None-Match", "*")
        for round_number in range(10):
            won = []

            def attempt(number):
                try:
                    self.put(f"k{round_number}", str(number).encode() * (1 if number % 2 else 40_000))
                    won.append(number)
                except Exception as refused:
                    self.assertIn("PreconditionFailed", str(refused))

            threads = [threading.Thread(target=attempt, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(won), 1)
            body = self.body(f"k{round_number}")
            self.assertEqual(body, str(won[0]).encode() * (1 if won[0] % 2 else 40_000))


class Listing(BucketCase):
    def setUp(self):
        super().setUp()
        self.keys = sorted([f"d{i}/{j}" for i in range(5) for j in range(5)] + [f"top{i}" for i in range(7)])
        for key in self.keys:
            self.put(key)

    def all_pages(self, operation, **more):
        found, prefixes = [], []
        for page in self.s3.get_paginator(operation).paginate(Bucket=self.bucket, **more):
            found += [o["Key"] for o in page.get("Contents", [])]
            prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        return found, prefixes

    def test_pages(self):
        for operation in ("list_objects", "list_objects_v2"):
            for size in (1, 3, 100):
                with self.subTest(f"{operation} {size}"):
                    paging = {"PaginationConfig": {"PageSize": size}}
                    self.assertEqual(self.all_pages(operation, **paging), (self.keys, []))
                    self.assertEqual(self.all_pages(operation, Delimiter="/", **paging),
                                     ([k for k in self.keys if "/" not in k], [f"d{i}/" for i in range(5)]))
                    self.assertEqual(self.all_pages(operation, Prefix="d3/", Delimiter="/", **paging)[0], [f"d3/{j}" for j in range(5)])

    def test_start_after_and_owner(self):
        page = self.s3.list_objects_v2(Bucket=self.bucket, StartAfter="d4/3", MaxKeys=2, FetchOwner=True)
        self.assertEqual([o["Key"] for o in page["Contents"]], ["d4/4", "top0"])
        self.assertEqual((page["KeyCount"], page["IsTruncated"], page["Contents"][0]["Owner"]["ID"]), (2, True, "pawl"))
        self.assertEqual(self.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=0)["KeyCount"], 0)
        self.refused("InvalidArgument", self.s3.list_objects_v2, Bucket=self.bucket, ContinuationToken="no token")


class Presigned(BucketCase):
    def test_get_and_put(self):
        self.put("a b", b"read me")
        url = self.s3.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": "a b"}, ExpiresIn=60)
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(answer.read(), b"read me")
        url = self.s3.generate_presigned_url("put_object", {"Bucket": self.bucket, "Key": "up"}, ExpiresIn=60)
        request = urllib.request.Request(url, data=b"written" * 30_000, method="PUT")
        urllib.request.urlopen(request).close()
        self.assertEqual(self.body("up"), b"written" * 30_000)


CONFIGURED = """
[[access_key]]
id = "AKIAPAWL"
secret = "not a secret"
"""


class Signed(unittest.TestCase):
    """A server with access keys: nothing without the right one."""

    @classmethod
    def setUpClass(cls):
        from blackbox import servers
        context = suite.current()
        context.require_binary()
        cls.pawl = context.cleanup.add(servers.Pawl(context.binary, context.ports, context.cleanup.directory(), CONFIGURED))
        cls.pawl.start()
        cls.good = client(cls.pawl.url, aws_access_key_id="AKIAPAWL", aws_secret_access_key="not a secret")
        cls.bucket = fresh()
        cls.good.create_bucket(Bucket=cls.bucket)

    refused = BucketCase.refused

    def test_the_right_key(self):
        for body in (b"small", os.urandom(3_000_000)):
            self.good.put_object(Bucket=self.bucket, Key="k/ä +", Body=body)
            self.assertEqual(self.good.get_object(Bucket=self.bucket, Key="k/ä +")["Body"].read(), body)

    def test_wrong_keys(self):
        wrong = client(self.pawl.url, aws_access_key_id="AKIAPAWL", aws_secret_access_key="guessed")
        unknown = client(self.pawl.url, aws_access_key_id="AKIAOTHER", aws_secret_access_key="x")
        for body in (b"small", b"large" * 100_000):
            self.refused("SignatureDoesNotMatch", wrong.put_object, Bucket=self.bucket, Key="no", Body=body, status=403)
            self.refused("InvalidAccessKeyId", unknown.put_object, Bucket=self.bucket, Key="no", Body=body, status=403)
        self.refused("404", self.good.head_object, Bucket=self.bucket, Key="no")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{self.pawl.url}/{self.bucket}")
        self.assertEqual(caught.exception.code, 403)

    def test_presigned(self):
        self.good.put_object(Bucket=self.bucket, Key="p", Body=b"read me")
        url = self.good.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": "p"}, ExpiresIn=60)
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(answer.read(), b"read me")
        put = self.good.generate_presigned_url("put_object", {"Bucket": self.bucket, "Key": "q"}, ExpiresIn=60)
        with self.assertRaises(urllib.error.HTTPError) as caught:  # or whoever has a URL to write could read everything
            urllib.request.urlopen(urllib.request.Request(put, method="PUT", headers={"x-amz-copy-source": f"{self.bucket}/p"}))
        self.assertEqual(caught.exception.code, 403)
        for changed in (url.replace("/p?", "/q?"), url[:-1] + ("0" if url[-1] != "0" else "1")):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(changed)
            self.assertEqual(caught.exception.code, 403)
