"""`pawl logs`, and what it asks."""

import json
import os
import signal
import subprocess
import tempfile
import time

import jsonschema

from blackbox import suite
from blackbox.servers import Pawl
from shared import Case, client, create, fresh, http, invoke, logs, wait_until

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "schemas", "logs.schema.json")


class Logs(Case):
    def pawl_logs(self, *arguments):
        pawl = suite.current().require_pawl()
        return pawl.run("logs", *arguments, "--endpoint", pawl.url, timeout_s=120)

    def test_lines_with_request_ids(self):
        name = create("import sys\nprint('at import')\ndef lambda_handler(event, context):\n    print('to', event)\n    print('err', file=sys.stderr)\n")
        first, second = invoke(name, 1), invoke(name, 2)
        done = self.pawl_logs(name)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
        self.assertEqual([line[2] for line in lines if line[1] == "--------"], ["at import"])
        own = [line[2] for line in lines if line[1] == first.id[:8]]
        self.assertEqual((own[0], set(own[1:3]), own[3]),
                         (f"START RequestId: {first.id} Version: $LATEST", {"to 1", "err"}, f"END RequestId: {first.id}"))
        self.assertTrue(any(line[1] == second.id[:8] and line[2] == "to 2" for line in lines))
        document = json.loads(self.pawl_logs(name, "--json").stdout)
        with open(SCHEMA, encoding="utf-8") as file:
            jsonschema.validate(document, json.load(file))
        self.assertEqual({line["stream"] for line in document["lines"]}, {"stdout", "stderr", "platform"})
        client().delete_function(FunctionName=name)
        self.assertIn("to 2", self.pawl_logs(name).stdout, "the log outlives its function")

    def test_since(self):
        name = create("def lambda_handler(event, context):\n    print('line', event)\n")
        took, seconds = 9.0, 1
        while took >= seconds:  # a machine that is too busy for so short a time is given a longer one
            seconds *= 2
            invoke(name, 1)
            time.sleep(seconds + 0.2)
            begun = time.monotonic()
            invoke(name, 2)
            recent = self.pawl_logs(name, "--since", f"{seconds}s").stdout
            took = time.monotonic() - begun
        self.assertIn("line 2", recent)
        self.assertNotIn("line 1", recent)
        self.assertIn("line 1", self.pawl_logs(name, "--since", "60m").stdout)
        self.assertEqual(self.pawl_logs(name, "--since", "2999-01-01T00:00:00Z").stdout, "")
        self.assertEqual(self.pawl_logs(name, "--since", "soon").returncode, 2)

    def test_follow(self):
        pawl = suite.current().require_pawl()
        name = create("def lambda_handler(event, context):\n    print('line', event)\n")
        process = subprocess.Popen([pawl.binary, "logs", name, "--follow", "--endpoint", pawl.url], stdout=subprocess.PIPE, text=True)
        try:
            invoke(name, 1)
            invoke(name, 2)
            seen = ""
            while "line 2" not in seen:
                seen += process.stdout.readline()
            self.assertEqual(seen.count("line 1"), 1)
        finally:
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(120), 0)
            process.stdout.close()

    def test_follow_over_a_restart(self):
        cleanup = suite.current().cleanup
        pawl = cleanup.add(Pawl(suite.current().require_binary(), suite.current().ports, cleanup.directory()))
        pawl.start()
        name = create("def lambda_handler(event, context):\n    print('line', event)\n", url=pawl.url)
        invoke(name, 1, url=pawl.url)
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen([pawl.binary, "logs", name, "--follow", "--endpoint", pawl.url], stdout=subprocess.PIPE, stderr=errors, text=True)
            try:
                seen = ""
                while "line 1" not in seen:
                    seen += process.stdout.readline()
                for times, end in enumerate((pawl.stop, pawl.kill), start=1):
                    end()
                    wait_until(lambda times=times: os.pread(errors.fileno(), 1 << 20, 0).count(b"waiting for it") == times, what="word of it")
                    self.assertIsNone(process.poll(), "it waits for the server")
                    pawl.start()
                    invoke(name, 2, url=pawl.url)
                    while seen.count("line 2") < times:
                        line = process.stdout.readline()
                        self.assertTrue(line, "it goes on")
                        seen += line
                self.assertEqual(seen.count("line 1"), 1, "no line comes twice")
            finally:
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(120), 0)
                process.stdout.close()
            errors.seek(0)
            said = errors.read()
            self.assertEqual((said.count("waiting for it"), said.count("answers again")), (2, 2), said)
            pawl.stop()
            self.assertEqual(subprocess.run([pawl.binary, "logs", name, "--follow", "--endpoint", pawl.url], capture_output=True, timeout=120).returncode, 2,
                             "a server that was never there is an error")

    def test_what_is_not_there(self):
        done = self.pawl_logs("nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no function nobody", done.stderr)
        self.assertEqual(self.pawl_logs(create("x = 1\n")).stdout, "")
        self.assertEqual(self.pawl_logs("../etc").returncode, 2)

    def test_bad_questions(self):
        name = create("x = 1\n")
        for path in (f"/pawl/functions/{name}/logs?after=x", f"/pawl/functions/{name}/logs?since=x", f"/pawl/functions/{name}/logs?other=1",
                     f"/pawl/functions/{name}/logs?after=99999999999999999999999", "/pawl/functions/a%2Fb/logs", "/pawl/functions/../logs"):
            self.assertEqual(http("GET", path)[0], 400, path)
        # Unsigned with a body of a kind that a page may send: refused before anybody asks what it wants.
        self.assertEqual(http("POST", f"/pawl/functions/{name}/logs", b"{}", {"Content-Type": "application/json"})[0], 403)
        self.assertEqual(http("POST", f"/pawl/functions/{name}/logs", b"{}", {"Content-Type": "application/x-amz-json-1.0"})[0], 405)
        self.assertEqual(http("GET", f"/pawl/functions/{name}/logs", headers={"Origin": "http://evil.example"})[0], 403)
        self.assertEqual(http("GET", f"/pawl/functions/{fresh()}/logs")[0], 404)
        beyond = json.loads(http("GET", f"/pawl/functions/{name}/logs?after=123456")[1])
        self.assertEqual(beyond["lines"], [])

    def test_lines_of_several_at_once_keep_their_ids(self):
        name = create("import time\ndef lambda_handler(event, context):\n    for i in range(20):\n        print(context.aws_request_id, i)\n        time.sleep(0.01)\n", Timeout=60)
        import threading

        threads = [threading.Thread(target=invoke, args=(name,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = [line for line in logs(name) if line["stream"] == "stdout"]
        self.assertEqual(len(lines), 60)
        for line in lines:
            self.assertEqual(line["text"].split()[0], line["request_id"])
