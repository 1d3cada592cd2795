"""S3 as scripted: conditions, checksums, listings."""

import hashlib
import threading
import unittest

import server
from botocore.exceptions import ClientError


class Bucket(unittest.TestCase):
    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)
        self.s3 = self.aws.client("s3")
        self.s3.create_bucket(Bucket="b")

    def put(self, key, body=b"x", **headers):
        status, _, answer = self.aws.put("b", key, body, **headers)
        return status if status == 200 else (status, server.code_of(answer))

    def test_put_get_head_delete(self):
        self.s3.put_object(Bucket="b", Key="a/ü&<b>.json", Body=b"0123456789")
        found = self.s3.get_object(Bucket="b", Key="a/ü&<b>.json")
        self.assertEqual(found["Body"].read(), b"0123456789")
        self.assertEqual(found["ETag"], f'"{hashlib.md5(b"0123456789").hexdigest()}"')
        self.assertEqual(self.s3.head_object(Bucket="b", Key="a/ü&<b>.json")["ContentLength"], 10)
        ranged = self.s3.get_object(Bucket="b", Key="a/ü&<b>.json", Range="bytes=2-4")
        self.assertEqual((ranged["Body"].read(), ranged["ContentRange"]), (b"234", "bytes 2-4/10"))
        self.assertEqual(self.s3.list_objects_v2(Bucket="b")["Contents"][0]["Key"], "a/ü&<b>.json")
        self.s3.delete_object(Bucket="b", Key="a/ü&<b>.json")
        with self.assertRaises(self.s3.exceptions.NoSuchKey):
            self.s3.get_object(Bucket="b", Key="a/ü&<b>.json")
        with self.assertRaises(self.s3.exceptions.NoSuchBucket):
            self.s3.get_object(Bucket="other", Key="a")

    def test_if_none_match(self):
        self.assertEqual(self.put("k", b"1", if_none_match="*"), 200)
        self.assertEqual(self.put("k", b"2", if_none_match="*"), (412, "PreconditionFailed"))
        self.assertEqual(self.s3.get_object(Bucket="b", Key="k")["Body"].read(), b"1")

    def test_if_match(self):
        etag = hashlib.md5(b"1").hexdigest()
        self.assertEqual(self.put("k", b"1", if_match=f'"{etag}"'), (404, "NoSuchKey"))
        self.assertEqual(self.put("k", b"1"), 200)
        self.assertEqual(self.put("k", b"2", if_match=f'"{etag}"'), 200)
        self.assertEqual(self.put("k", b"3", if_match=f'"{etag}"'), (412, "PreconditionFailed"))

    def test_409_while_a_write_of_the_same_key_is_in_flight(self):
        self.aws.control("settings", latency_ms=300)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.put("k", b"1", if_none_match="*"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(map(str, answers)), ["(409, 'ConditionalRequestConflict')", "200"])
        self.assertEqual(self.put("k", b"1", if_none_match="*"), (412, "PreconditionFailed"))

    def test_409_where_the_object_was_deleted_meanwhile(self):
        self.aws.control("faults", kind="slow", operation="PutObject", ms=400)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.put("k", b"1", if_none_match="*")))
        thread.start()
        while self.aws.asked("counters")["at_once"]["by_operation"].get("PutObject") != 1:
            pass
        self.s3.delete_object(Bucket="b", Key="k")
        thread.join()
        self.assertEqual(answers, [(409, "ConditionalRequestConflict")])

    def test_the_body_must_be_what_was_signed(self):
        wrong = hashlib.sha256(b"other").hexdigest()
        self.assertEqual(self.put("k", b"1", **{"x-amz-content-sha256": wrong}), (400, "XAmzContentSHA256Mismatch"))
        self.assertEqual(self.put("k", b"1", **{"x-amz-checksum-sha256": "AAAA"}), (400, "BadDigest"))
        self.assertEqual(self.put("k", b"1", **{"content-md5": "AAAA"}), (400, "BadDigest"))
        self.assertEqual(self.put("k", b"1", **{"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}), 200)
        status, _, body = self.aws.request("PUT", "/b/k", b"1")
        self.assertEqual((status, server.code_of(body)), (403, "AccessDenied"))

    def test_listings(self):
        keys = sorted([f"a/{number:04}" for number in range(1500)] + ["a/b/c", "a/b/d", "b", "c/x", "c/y", "ü"],
                      key=lambda key: key.encode())
        for key in keys:
            self.s3.put_object(Bucket="b", Key=key, Body=b"")
        page = self.s3.list_objects_v2(Bucket="b")
        self.assertEqual((page["KeyCount"], page["IsTruncated"]), (1000, True))
        rest = self.s3.list_objects_v2(Bucket="b", ContinuationToken=page["NextContinuationToken"])
        self.assertEqual([entry["Key"] for entry in page["Contents"] + rest["Contents"]], keys)
        self.assertFalse(rest["IsTruncated"])
        self.assertEqual(len(self.s3.list_objects_v2(Bucket="b", StartAfter="a/1400", Prefix="a/").get("Contents")), 101)
        grouped, token = [], {}
        while True:
            page = self.s3.list_objects_v2(Bucket="b", Delimiter="/", MaxKeys=2, **token)
            grouped += [group["Prefix"] for group in page.get("CommonPrefixes", [])] + [e["Key"] for e in page.get("Contents", [])]
            if not page["IsTruncated"]:
                break
            token = {"ContinuationToken": page["NextContinuationToken"]}
        self.assertEqual(grouped, ["a/", "b", "c/", "ü"])

    def test_puts_are_remembered(self):
        self.put("k", b"1", if_none_match="*")
        self.put("k", b"1")
        self.put("k", b"2")
        self.put("k", b"3", if_none_match="*")
        puts = self.aws.asked("puts/b")
        self.assertEqual([entry["status"] for entry in puts["puts"]], [200, 200, 200, 412])
        self.assertEqual((puts["all"], puts["overwritten"]), (4, 1))
        entry, = self.aws.asked("puts/b?overwritten=1")["puts"]
        self.assertEqual((entry["before"], entry["sha256"]), (hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()))

    def test_a_bucket_that_keeps_only_digests(self):
        self.aws.control("buckets", bucket="b", keep_bodies=False)
        self.assertEqual(self.put("k", b"1"), 200)
        self.assertEqual(self.s3.head_object(Bucket="b", Key="k")["ContentLength"], 1)
        with self.assertRaises(ClientError) as raised:
            self.s3.get_object(Bucket="b", Key="k")
        self.assertEqual(server.code(raised.exception), "NotImplemented")
