"""What can't be an archive is refused before anything is recorded, with a reason and a way out."""

import os
import subprocess
import unittest

import ceph
import s3rver
import shared
from blackbox import servers, suite
from bucket_scene import BucketScene


class S3rver(servers._Server):
    def __init__(self, first_port, directory):
        super().__init__(first_port)
        self._spawn(s3rver.command(self.port, directory, "pawl-test"), os.path.join(directory, "s3rver.log"))
        self._wait_ready(self._listens)


class Refusals(unittest.TestCase):
    def refused(self, *more, url=None, archive="s3://pawl-test/refused", environment=None):
        """What `pawl serve` says; it must end with 2."""
        context = suite.current()
        directory = context.cleanup.directory()
        done = subprocess.run([context.require_binary(), "serve", "--data", os.path.join(directory, "data"), "--listen", "127.0.0.1:0",
                               "--archive", archive, *(["--s3-endpoint", url] if url else []), *more], capture_output=True, text=True,
                              timeout=120, check=False, env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertNotIn("secret", (done.stdout + done.stderr).replace("secret access key", ""))
        return done.stdout + done.stderr

    def test_a_store_that_ignores_conditions(self):
        context = suite.current()
        store = context.cleanup.add(S3rver(context.ports + 80, context.cleanup.directory()))
        text = self.refused(url=store.url, environment={"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"})
        self.assertIn("ignores conditional requests (If-None-Match: *)", text)
        self.assertIn("history could be overwritten", text)
        self.assertIn("Amazon S3, Ceph RADOS Gateway", text)

    def test_wrong_keys_missing_bucket_and_dead_store(self):
        url = shared.ceph.url
        self.assertIn("SignatureDoesNotMatch", self.refused(url=url, environment={"AWS_SECRET_ACCESS_KEY": "wrong"}))
        self.assertIn("InvalidAccessKeyId", self.refused(url=url, environment={"AWS_ACCESS_KEY_ID": "nobody"}))
        self.assertIn("aws s3 mb", self.refused(url=url, archive="s3://no-such-bucket/p"))
        self.assertIn("http://127.0.0.1:1", self.refused(url="http://127.0.0.1:1"))
        self.assertIn("no AWS credentials are configured",
                      self.refused(url=url, environment={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}))
        self.assertIn("AWS_REGION", self.refused(environment={"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}))

    def test_somebody_elses_objects(self):
        ceph.client(shared.ceph.url).put_object(Bucket="pawl-test", Key="theirs/object", Body=b"x")
        text = self.refused(url=shared.ceph.url, archive="s3://pawl-test/theirs")
        self.assertIn("holds objects but is no archive", text)

    def test_an_archive_that_is_none(self):
        for command in (["verify"], ["history"], ["restore"]):
            more = {"verify": [], "history": ["A"], "restore": ["--data", "/nonexistent/x"]}[command[0]]
            done = subprocess.run([suite.current().require_binary(), *command, "s3://pawl-test/nothing", *more, "--s3-endpoint",
                                   shared.ceph.url], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("is no archive of Pawl's", done.stderr)


class Settings(unittest.TestCase):
    def test_profile_with_services_section(self):
        directory = suite.current().cleanup.directory()
        config = os.path.join(directory, "config")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[profile store]\nregion = us-east-1\nservices = mine\naws_access_key_id = {ceph.KEYS['AWS_ACCESS_KEY_ID']}\n"
                       f"aws_secret_access_key = {ceph.KEYS['AWS_SECRET_ACCESS_KEY']}\n[services mine]\ns3 =\n"
                       f"  endpoint_url = {shared.ceph.url}\n")
        scene = BucketScene(shared.ceph.url)
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.caught_up(1)
        scene.stop_clean(self, 1)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        done = subprocess.run([suite.current().require_binary(), "verify", scene.archive], capture_output=True, text=True, timeout=60,
                              check=False, env={**environment, "AWS_CONFIG_FILE": config, "AWS_PROFILE": "store"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn(ceph.KEYS["AWS_SECRET_ACCESS_KEY"], done.stdout + done.stderr + scene.log())
