"""boto3: uploads in parts."""

import base64
import hashlib
import io
import os
import zlib

from blackbox import suite
from shared import BucketCase
from test_objects import with_header

MIB = 1 << 20


class Uploads(BucketCase):
    def begin(self, key="k", **more):
        return self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **more)["UploadId"]

    def part(self, upload, number, body, key="k", **more):
        return self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, **more)

    def complete(self, upload, parts, key="k"):
        return self.s3.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})

    def test_the_whole_of_it(self):
        bodies = {1: os.urandom(5 * MIB), 2: os.urandom(6 * MIB), 7: os.urandom(1000)}
        upload = self.begin(ContentType="text/x", Metadata={"m": "1"})
        parts = []
        for number in (7, 1, 2):  # in any order
            parts.append({"PartNumber": number, "ETag": self.part(upload, number, bodies[number])["ETag"]})
        parts.sort(key=lambda p: p["PartNumber"])
        self.part(upload, 3, b"never named")
        self.part(upload, 2, bodies[2])  # again
        listed = self.s3.list_parts(Bucket=self.bucket, Key="k", UploadId=upload)["Parts"]
        self.assertEqual([(p["PartNumber"], p["Size"]) for p in listed], [(1, 5 * MIB), (2, 6 * MIB), (3, 11), (7, 1000)])
        page = self.s3.list_parts(Bucket=self.bucket, Key="k", UploadId=upload, MaxParts=2)
        self.assertEqual((page["IsTruncated"], page["NextPartNumberMarker"]), (True, 2))
        found = self.s3.list_multipart_uploads(Bucket=self.bucket)["Uploads"]
        self.assertEqual([(u["Key"], u["UploadId"]) for u in found], [("k", upload)])
        self.refused("NoSuchKey", self.get, "k")
        self.refused("BucketNotEmpty", self.s3.delete_bucket, Bucket=self.bucket)
        suite.current().require_pawl().kill()
        suite.current().pawl.start()
        done = self.complete(upload, parts)
        digest = hashlib.md5(b"".join(hashlib.md5(bodies[n]).digest() for n in (1, 2, 7))).hexdigest()
        self.assertEqual(done["ETag"], f'"{digest}-3"')
        self.assertEqual(self.complete(upload, parts)["ETag"], done["ETag"])  # a client that lost the answer
        whole = bodies[1] + bodies[2] + bodies[7]
        got = self.get("k")
        self.assertEqual((got["Body"].read(), got["ContentType"], got["Metadata"]), (whole, "text/x", {"m": "1"}))
        edge = 5 * MIB
        self.assertEqual(self.body("k", Range=f"bytes={edge - 3}-{edge + 3}"), whole[edge - 3:edge + 4])
        self.assertEqual(self.body("k", Range="bytes=-1005"), whole[-1005:])
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=f"{self.bucket}/k")
        self.s3.delete_object(Bucket=self.bucket, Key="k")
        suite.current().pawl.kill()
        suite.current().pawl.start()
        self.assertEqual(self.body("copy"), whole)

    def test_refusals(self):
        upload = self.begin()
        small = self.part(upload, 1, b"small")["ETag"]
        last = self.part(upload, 2, b"last")["ETag"]
        one, two = {"PartNumber": 1, "ETag": small}, {"PartNumber": 2, "ETag": last}
        self.refused("EntityTooSmall", self.complete, upload, [one, two], status=400)
        self.refused("InvalidPartOrder", self.complete, upload, [two, one], status=400)
        self.refused("InvalidPart", self.complete, upload, [{"PartNumber": 1, "ETag": last}], status=400)
        self.refused("InvalidPart", self.complete, upload, [{"PartNumber": 5, "ETag": last}], status=400)
        self.refused("NoSuchUpload", self.part, "00" * 16, 1, b"x", status=404)
        self.refused("NoSuchUpload", self.part, "no id", 1, b"x" * 100_000, status=404)
        self.refused("InvalidArgument", self.part, upload, 0, b"x", status=400)
        self.refused("InvalidArgument", self.part, upload, 10_001, b"x", status=400)
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key="k", UploadId=upload)
        self.refused("NoSuchUpload", self.s3.abort_multipart_upload, Bucket=self.bucket, Key="k", UploadId=upload)
        self.refused("NoSuchUpload", self.complete, upload, [one])
        self.assertNotIn("Uploads", self.s3.list_multipart_uploads(Bucket=self.bucket))

    def test_condition_at_the_end(self):
        self.put("k", b"first")
        upload = self.begin()
        part = {"PartNumber": 1, "ETag": self.part(upload, 1, b"second")["ETag"]}
        done = with_header(self.s3, "CompleteMultipartUpload", "If-None-Match", "*")
        self.refused("PreconditionFailed", self.complete, upload, [part], status=412)
        done()
        self.assertEqual(self.body("k"), b"first")
        self.complete(upload, [part])
        self.assertEqual(self.body("k"), b"second")

    def test_copied_parts(self):
        body = os.urandom(11 * MIB)
        self.put("source", body)
        upload = self.begin()
        parts = []
        for number, (first, last) in enumerate(((0, 6 * MIB - 1), (6 * MIB, 11 * MIB - 1)), 1):
            result = self.s3.upload_part_copy(Bucket=self.bucket, Key="k", UploadId=upload, PartNumber=number,
                                              CopySource=f"{self.bucket}/source", CopySourceRange=f"bytes={first}-{last}")
            parts.append({"PartNumber": number, "ETag": result["CopyPartResult"]["ETag"]})
        self.complete(upload, parts)
        self.assertEqual(self.body("k"), body)

    def test_checksums_of_parts(self):
        bodies = [os.urandom(5 * MIB), b"rest"]
        crcs = [zlib.crc32(b).to_bytes(4, "big") for b in bodies]
        upload = self.begin(ChecksumAlgorithm="CRC32")
        parts = []
        for number, body in enumerate(bodies, 1):
            answer = self.part(upload, number, body, ChecksumAlgorithm="CRC32")
            self.assertEqual(answer["ChecksumCRC32"], base64.b64encode(crcs[number - 1]).decode())
            parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})
        done = self.complete(upload, parts)
        self.assertEqual(done["ChecksumCRC32"], base64.b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode() + "-2")

    def test_managed_transfer(self):
        body = os.urandom(30 * MIB)
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "managed")
        self.assertIn("-", self.get("managed")["ETag"])
        out = io.BytesIO()
        self.s3.download_fileobj(self.bucket, "managed", out)
        self.assertEqual(out.getvalue(), body)
        self.s3.copy({"Bucket": self.bucket, "Key": "managed"}, self.bucket, "again")
        self.assertEqual(hashlib.md5(self.body("again")).digest(), hashlib.md5(body).digest())

    def test_listing_of_uploads(self):
        for key in ("a/1", "a/2", "b"):
            for _ in range(2):
                self.begin(key)
        found = []
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, PaginationConfig={"PageSize": 2}):
            found += [u["Key"] for u in page.get("Uploads", [])]
        self.assertEqual(found, ["a/1", "a/1", "a/2", "a/2", "b", "b"])
        page = self.s3.list_multipart_uploads(Bucket=self.bucket, Delimiter="/")
        self.assertEqual(([p["Prefix"] for p in page["CommonPrefixes"]], len(page["Uploads"])), (["a/"], 2))
