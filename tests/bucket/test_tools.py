"""The command lines that people have: aws, s3cmd, rclone."""

import filecmp
import os
import shutil
import subprocess
import unittest

from blackbox import suite
from shared import BucketCase, archived, table_of

AWS = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else "aws"


class Tools(BucketCase):
    def setUp(self):
        super().setUp()
        self.top = suite.current().cleanup.directory()
        self.tree = os.path.join(self.top, "tree")
        os.makedirs(os.path.join(self.tree, "sub", "ä b"))
        for name, size in (("empty", 0), ("small.txt", 120), ("sub/middle", 40_000), ("sub/ä b/large+&.bin", 20_000_000)):
            with open(os.path.join(self.tree, name), "wb") as file:
                file.write(os.urandom(size))
        self.host = suite.current().url.split("//")[1]

    def good(self, *command, **more):
        done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, **more)
        self.assertEqual(done.returncode, 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def same_tree(self, other):
        compared = filecmp.dircmp(self.tree, other)
        stack = [compared]
        while stack:
            level = stack.pop()
            self.assertEqual((level.left_only, level.right_only, level.diff_files), ([], [], []), level.left)
            stack += level.subdirs.values()

    def aws(self, *arguments):
        return self.good(AWS, "--endpoint-url", suite.current().url, *arguments)

    def test_aws(self):
        made = self.bucket + "-made"
        self.aws("s3", "mb", f"s3://{made}")
        self.assertIn(made, self.aws("s3", "ls"))
        self.aws("s3", "sync", self.tree, f"s3://{made}/t")
        self.assertIn("small.txt", self.aws("s3", "ls", f"s3://{made}/t/"))
        self.assertEqual(self.aws("s3", "sync", self.tree, f"s3://{made}/t"), "")
        self.aws("s3", "sync", f"s3://{made}/t", os.path.join(self.top, "back"))
        self.same_tree(os.path.join(self.top, "back"))
        self.aws("s3", "cp", f"s3://{made}/t/small.txt", f"s3://{self.bucket}/copied")
        self.aws("s3", "mv", f"s3://{made}/t/sub/ä b/large+&.bin", f"s3://{self.bucket}/moved")
        self.assertIn("20000000 moved", self.aws("s3", "ls", f"s3://{self.bucket}"))
        self.aws("s3", "rm", "--recursive", f"s3://{made}")
        self.aws("s3", "rb", f"s3://{made}")
        self.assertNotIn(made, self.aws("s3", "ls"))

    def test_aws_reads_the_archive(self):
        suite.current().require_pawl()
        table_of(suite.current().url, "tools").put_item(TableName="tools", Item={"hashid": {"S": "A1"}})
        self.assertEqual(archived(self.s3, 1, Prefix="tools/"), ["tools/A1-0.json"])
        self.assertIn("A1-0.json", self.aws("s3", "ls", "s3://archive/tools/"))
        back = os.path.join(self.top, "history")
        self.aws("s3", "sync", "s3://archive/tools", back)
        self.assertEqual(os.listdir(back), ["A1-0.json"])
        self.assertEqual(self.aws("s3", "sync", "s3://archive/tools", back), "")

    @unittest.skipUnless(shutil.which("s3cmd"), "s3cmd is not installed")
    def test_s3cmd(self):
        s3cmd = lambda *arguments: self.good("s3cmd", "--no-ssl", f"--host={self.host}", f"--host-bucket={self.host}", "--access_key=a",
                                             "--secret_key=b", "--config=/dev/null", "--no-progress", *arguments)
        s3cmd("put", "--recursive", self.tree + "/", f"s3://{self.bucket}/t/")
        self.assertIn("small.txt", s3cmd("ls", "--recursive", f"s3://{self.bucket}"))
        self.assertIn("20000000", s3cmd("ls", "--recursive", f"s3://{self.bucket}"))
        s3cmd("sync", f"s3://{self.bucket}/t/", os.path.join(self.top, "back") + "/")
        self.same_tree(os.path.join(self.top, "back"))
        s3cmd("cp", f"s3://{self.bucket}/t/small.txt", f"s3://{self.bucket}/copied")
        s3cmd("del", "--recursive", "--force", f"s3://{self.bucket}")
        s3cmd("rb", f"s3://{self.bucket}")

    @unittest.skipUnless(shutil.which("rclone"), "rclone is not installed")
    def test_rclone(self):
        settings = {"RCLONE_CONFIG_PAWL_TYPE": "s3", "RCLONE_CONFIG_PAWL_PROVIDER": "Other", "RCLONE_CONFIG_PAWL_ACCESS_KEY_ID": "a",
                    "RCLONE_CONFIG_PAWL_SECRET_ACCESS_KEY": "b", "RCLONE_CONFIG_PAWL_ENDPOINT": suite.current().url,
                    "RCLONE_CONFIG": os.path.join(self.top, "none.conf")}
        environment = {**os.environ, **settings}
        environment.pop("AWS_CA_BUNDLE", None)  # Debian's rclone can't read one
        rclone = lambda *arguments: self.good("rclone", "--s3-upload-cutoff", "8M", "--s3-chunk-size", "5M", *arguments,
                                              env=environment)
        rclone("sync", self.tree, f"pawl:{self.bucket}/t")
        rclone("check", self.tree, f"pawl:{self.bucket}/t", "--download")
        rclone("sync", f"pawl:{self.bucket}/t", os.path.join(self.top, "back"))
        self.same_tree(os.path.join(self.top, "back"))
        self.assertIn("small.txt", rclone("ls", f"pawl:{self.bucket}"))
        rclone("moveto", f"pawl:{self.bucket}/t/small.txt", f"pawl:{self.bucket}/moved")
        rclone("purge", f"pawl:{self.bucket}/t")
        self.assertEqual(rclone("lsf", f"pawl:{self.bucket}"), "moved\n")
