"""Data directories that must not be used, configurations that make no sense: status 2 and a reason."""

import os
import shutil
import subprocess
import unittest

from blackbox import servers, suite
from target import HostileCase, create_table


def serve_once(*arguments, timeout_s=120):
    """Runs `pawl serve` that is expected to end by itself."""
    return subprocess.run([os.path.abspath(suite.current().require_binary()), "serve", *arguments], capture_output=True, text=True,
                          timeout=timeout_s, check=False, stdin=subprocess.DEVNULL)


class Refusals(HostileCase):
    def setUp(self):
        suite.current().require_binary()
        self.directory = suite.current().cleanup.directory()
        self.data = os.path.join(self.directory, "data")
        self.listen = f"127.0.0.1:{servers.free_port(suite.current().ports + 5)}"

    def serve(self, *more):
        return serve_once("--data", self.data, "--listen", self.listen, *more)

    def refuses(self, done, *words):
        self.assertEqual(done.returncode, 2, f"status {done.returncode}\n{done.stdout}{done.stderr}")
        for word in words:
            self.assertIn(word.lower(), done.stderr.lower())

    def used_once(self):
        """A data directory with a table and an item in it."""
        pawl = servers.Pawl(suite.current().binary, suite.current().ports + 5, self.directory)
        pawl.start()
        lead = servers_connection(pawl)
        create_table(lead, "kept", "id")
        self.assertEqual(lead.call("PutItem", {"TableName": "kept", "Item": {"id": {"S": "x"}}}).status, 200)
        self.assertEqual(pawl.stop(), 0, pawl.log_end())
        return pawl

    def test_a_newer_format(self):
        pawl = self.used_once()
        with open(os.path.join(self.data, "FORMAT"), encoding="utf-8") as file:
            written = file.read()
        with open(os.path.join(self.data, "FORMAT"), "w", encoding="utf-8") as file:
            file.write("pawl-data/999\n")
        self.refuses(self.serve(), "999", self.data)
        with open(os.path.join(self.data, "FORMAT"), "w", encoding="utf-8") as file:
            file.write(written)
        self.kept(pawl)

    def kept(self, pawl):
        """Nothing was lost by the refusal."""
        pawl.start()
        self.assertIn("Item", servers_connection(pawl).call("GetItem", {"TableName": "kept", "Key": {"id": {"S": "x"}}}).json())
        self.assertEqual(pawl.stop(), 0)
        self.assertEqual(pawl.run("verify", pawl.archive).returncode, 0)

    def test_a_newer_archive(self):
        pawl = self.used_once()
        path = os.path.join(pawl.archive, ".pawl", "archive.json")
        with open(path, encoding="utf-8") as file:
            written = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(written.replace("pawl-archive/1", "pawl-archive/999"))
        self.refuses(self.serve(), "pawl-archive/999")
        done = pawl.run("verify", pawl.archive)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        with open(path, "w", encoding="utf-8") as file:
            file.write(written)
        self.kept(pawl)

    def test_in_use_by_another_process(self):
        pawl = suite.current().require_pawl()
        done = serve_once("--data", pawl.data, "--listen", self.listen)
        self.refuses(done, pawl.data)

    def test_an_archive_in_use_by_another_process(self):
        pawl = suite.current().require_pawl()
        self.refuses(self.serve("--archive", "dir:" + pawl.archive), pawl.archive)

    def test_a_port_in_use(self):
        pawl = suite.current().require_pawl()
        self.refuses(serve_once("--data", self.data, "--listen", f"127.0.0.1:{pawl.port}"), str(pawl.port))

    def test_read_only(self):
        """Tests run as root, whom permissions don't stop: a read-only mount does."""
        if os.geteuid() != 0:
            self.skipTest("needs root, to mount")
        pawl = self.used_once()
        if subprocess.run(["mount", "--bind", self.directory, self.directory], check=False, capture_output=True).returncode != 0:
            self.skipTest("mounting is forbidden here")
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", self.directory], check=True)
            self.refuses(self.serve(), self.data)
        finally:
            subprocess.run(["umount", self.directory], check=True)
        self.kept(pawl)

    def test_not_a_directory(self):
        with open(self.data, "w", encoding="utf-8") as file:
            file.write("x")
        self.refuses(self.serve(), self.data)

    def test_somebody_else_s_directory(self):
        os.makedirs(self.data)
        with open(os.path.join(self.data, "thesis.txt"), "w", encoding="utf-8") as file:
            file.write("precious")
        self.refuses(self.serve(), self.data)
        self.assertEqual(os.listdir(self.data), ["thesis.txt"])

    def test_a_damaged_store(self):
        pawl = self.used_once()
        shutil.copytree(self.data, self.data + ".whole")
        damaged = 0
        for folder, _, files in os.walk(self.data):
            for name in files:
                if name == "CURRENT":
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                        file.write("MANIFEST-999999\n")
                    damaged += 1
        self.assertGreater(damaged, 0, "found no file to damage")
        self.refuses(self.serve(), self.data)
        shutil.rmtree(self.data)
        os.rename(self.data + ".whole", self.data)
        self.kept(pawl)

    def test_configurations_that_make_no_sense(self):
        path = os.path.join(self.directory, "pawl.toml")
        for text in ("[server", "[sever]\n", "[server]\nlisen = \"127.0.0.1:1\"\n", "[server]\nlisten = 5\n", "[server]\nlisten = \"127.0.0.1\"\n",
                     "[server]\nlisten = \"127.0.0.1:99999\"\n", "[server]\narchive = \"s3://b\"\n",
                     "[server]\narchive = \"gs://bucket\"\n", "[tables.x]\npartitions = 0\n",
                     "[tables.x]\npartitions = -1\n", "[tables.x]\nnames = \"{\"\n", "[tables.x]\nnames = \"../{key}\"\n", "[tables.x]\nnames = \"/{key}\"\n", "[tables.x]\nrecord = \"yes\"\n", "\x00\x01"):
            with self.subTest(text):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                arguments = ["--config", path, "--data", self.data]
                done = serve_once(*arguments, *([] if "listen" in text else ["--listen", self.listen]))
                self.refuses(done, "pawl.toml" if "listen" not in text else "")
                self.assertTrue(done.stderr.strip(), "no reason given")

    def test_missing_configuration(self):
        self.refuses(self.serve("--config", "/nonexistent/pawl.toml"), "/nonexistent/pawl.toml")

    def test_other_addresses_demand_keys(self):
        done = serve_once("--data", self.data, "--listen", "0.0.0.0:" + self.listen.split(":")[1])
        self.refuses(done, "access_key")

    def test_unknown_options(self):
        self.refuses(self.serve("--frobnicate"), "frobnicate")
        self.refuses(serve_once("--listen"), "listen")


def servers_connection(pawl):
    from blackbox.raw_http import Connection
    return Connection("127.0.0.1", pawl.port)


