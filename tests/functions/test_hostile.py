"""Functions, web pages and other users that do harm: what they reach, and whom they hold up."""

import http.client as http_client
import json
import os
import subprocess
import threading
import time

from blackbox import suite
from blackbox.servers import Pawl
from shared import ROLE, Case, Gate, client, create, fresh, http, invoke, is_dead, texts, wait_until, zipped

NEXT = "/2018-06-01/runtime/invocation/next"
# Tells where its runtime API is, and may take a while.
SLOW = ("import os, time\ndef lambda_handler(event, context):\n    print('api', os.environ['AWS_LAMBDA_RUNTIME_API'], flush=True)\n"
        "    time.sleep(event)\n    return os.getpid()\n")


def ask(address, method="GET", path=NEXT, headers={}):
    connection = http_client.HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path, None, headers)
        return connection.getresponse().status
    except TimeoutError:
        return "left waiting"
    except (OSError, http_client.HTTPException):
        return "closed"
    finally:
        connection.close()


def api_of(name):
    return wait_until(lambda: [text.split()[1] for text in texts(name) if text.startswith("api")], what="its address")[-1]


class RuntimeApi(Case):
    def test_outsiders_neither_end_a_call_nor_get_one(self):
        name = create(SLOW, Timeout=60)
        first = invoke(name, 0).payload
        address = api_of(name)
        self.assertEqual(ask(address), "closed", "while it waits for work")
        self.assertEqual(ask(address, headers={"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"}), "closed")
        results = []
        thread = threading.Thread(target=lambda: results.append(invoke(name, 2)))
        thread.start()
        wait_until(lambda: len([text for text in texts(name) if text.startswith("api")]) == 2, what="the call")
        for _ in range(5):
            self.assertEqual(ask(address), "closed", "while it works")
            self.assertEqual(ask(address, "POST", "/2018-06-01/runtime/init/error"), "closed")
        thread.join()
        self.assertEqual((results[0].error, results[0].payload), (None, first))

    def test_nor_does_another_function(self):
        victim = create(SLOW, Timeout=60)
        first = invoke(victim, 0).payload
        attack = create("import http.client\ndef lambda_handler(event, context):\n    c = http.client.HTTPConnection(event, timeout=40)\n"
                        f"    try:\n        c.request('GET', '{NEXT}')\n        return c.getresponse().status\n"
                        "    except TimeoutError:\n        return 'left waiting'\n"
                        "    except (OSError, http.client.HTTPException):\n        return 'closed'\n", Timeout=60)
        self.assertEqual(invoke(attack, api_of(victim)).payload, "closed")
        self.assertEqual(invoke(victim, 0).payload, first)

    def test_a_child_of_its_own_that_asks_does_not_end_the_call(self):
        name = create("import os, subprocess\ndef lambda_handler(event, context):\n"
                      f"    url = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '{NEXT}'\n"
                      "    return subprocess.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', url], capture_output=True, text=True).stdout\n",
                      Timeout=60)
        self.assertEqual(invoke(name).payload, "403")

    def test_goes_on_after_an_answer_that_is_too_large(self):
        name = create("import os\ndef lambda_handler(event, context):\n    return str(os.getpid()) + 'x' * event\n", Timeout=60, MemorySize=512)
        first = invoke(name, 0).payload
        self.assertEqual(invoke(name, 20 << 20).payload["errorType"], "Function.ResponseSizeTooLarge")
        self.assertEqual(invoke(name, 0).payload, first, "the same process")

    def test_curl_does_not_wait_to_be_told_to_continue(self):
        """Nobody tells it: then it waits until its call has run out of time."""
        script = """#!/bin/sh
while true; do
  headers=$(mktemp)
  curl -sS -o /dev/null -D "$headers" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
  id=$(grep -i lambda-runtime-aws-request-id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  rm "$headers"
  (printf '"'; head -c 3000000 /dev/zero | tr '\\0' x; printf '"') > "/tmp/$id"
  curl -sS -o /dev/null --expect100-timeout 300 -H 'Expect: 100-continue' --data-binary "@/tmp/$id" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
  rm "/tmp/$id"
done
"""
        name = create({"bootstrap": script}, runtime="provided.al2", handler="any", Timeout=60)
        self.assertEqual(len(invoke(name).payload), 3_000_000)


class Processes(Case):
    def test_leaves_its_group_and_is_killed_at_its_time_out(self):
        name = create("import os, time\ndef lambda_handler(event, context):\n    child = os.fork()\n    if child == 0:\n        time.sleep(600)\n"
                      "    os.setpgid(child, child)\n    os.setpgid(0, child)\n    print('left', os.getpid(), child, flush=True)\n    time.sleep(600)\n",
                      Timeout=2)
        self.assertEqual(invoke(name).payload["errorType"], "Sandbox.Timedout")
        for pid in self.pids(name, "left"):
            wait_until(lambda pid=pid: is_dead(pid), what="its end")

    def test_a_daemon_does_not_outlive_its_call(self):
        name = create("import os, time\ndef lambda_handler(event, context):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
                      "            print('daemon', os.getpid(), flush=True)\n            time.sleep(600)\n        os._exit(0)\n    time.sleep(600)\n",
                      Timeout=2)
        invoke(name)
        pid, = self.pids(name, "daemon")
        wait_until(lambda: is_dead(pid), what="the daemon's end")

    def pids(self, name, word):
        """Those that the function has told."""
        told = next((text for text in texts(name) if text.startswith(word)), None)
        self.assertIsNotNone(told, "it ran out of time before it had begun")
        return map(int, told.split()[1:])

    @staticmethod
    def follow(name):
        """Gives, when it is called, the lines that have come since."""
        after = 0

        def lines():
            nonlocal after
            found, more = [], True
            while more and len(found) < 100_000:
                status, body, _ = http("GET", f"/pawl/functions/{name}/logs?after={after}")
                if status != 200:
                    break
                page = json.loads(body)
                found += [line["text"] for line in page["lines"]]
                after, more = page["next"], page["more"]
            return found
        return lines

    def test_one_that_writes_without_end_holds_up_nobody(self):
        """It writes until it is told to stop, after the quiet ones' calls: who waited for its end would wait for ever."""
        loud = create("import os\ndef lambda_handler(event, context):\n    while not os.path.exists(event): os.write(1, b'\\n' * 65536)\n"
                      "    return 'done'\n", Timeout=300)
        quiet = create("def lambda_handler(event, context):\n    return event\n", Timeout=60)
        invoke(quiet)
        results, took, gate = [], [], Gate()
        thread = threading.Thread(target=lambda: results.append(invoke(loud, gate.path).payload), daemon=True)
        thread.start()
        lines = self.follow(loud)
        wait_until(lambda: "" in lines(), what="its first lines")
        for number in range(10):
            begun = time.monotonic()
            self.assertEqual(invoke(quiet, number).payload, number)
            took.append(time.monotonic() - begun)
        wait_until(lambda: any("are dropped" in text for text in lines()), what="word of what is dropped")
        self.assertTrue(thread.is_alive(), "it still writes")
        gate.open()
        thread.join()
        self.assertEqual(results, ["done"])
        self.assertLess(max(took), 20, "milliseconds on a quiet machine, two seconds on a busy one")

    def test_many_processes_that_share_their_memory(self):
        name = create("import os, time\ndef lambda_handler(event, context):\n    held = b'x' * (60 << 20)\n    children = []\n    for _ in range(8):\n"
                      "        pid = os.fork()\n        if pid == 0:\n            time.sleep(600)\n        children.append(pid)\n    time.sleep(1)\n"
                      "    for pid in children:\n        os.kill(pid, 9)\n        os.waitpid(pid, 0)\n    return len(held)\n", Timeout=60, MemorySize=192)
        self.assertEqual(invoke(name).payload, 60 << 20)

    def test_children_of_another_thread_are_seen(self):
        name = create("import os, threading, time\ndef child():\n    held = b'x' * (300 << 20)\n    time.sleep(600)\n"
                      "def fork():\n    if os.fork() == 0: child()\n    time.sleep(600)\n"
                      "def lambda_handler(event, context):\n    threading.Thread(target=fork, daemon=True).start()\n    time.sleep(100)\n",
                      Timeout=110, MemorySize=128)
        done = invoke(name)
        self.assertIn("out of memory", done.payload["errorMessage"])


class Code(Case):
    def setUp(self):
        cleanup = suite.current().cleanup
        self.pawl = cleanup.add(Pawl(suite.current().require_binary(), suite.current().ports, cleanup.directory()))
        self.pawl.start()
        self.api = client(url=self.pawl.url)

    def tearDown(self):
        self.pawl.stop()

    def unpacked(self, data=None):
        with open(os.path.join(data or self.pawl.data, "functions", "unpacked-in"), encoding="utf-8") as file:
            return file.read()

    def made(self, code, name=None):
        name = name or fresh()
        self.api.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler", Code={"ZipFile": code})
        return name

    def test_what_no_function_took_is_gone_at_once(self):
        name = self.made(zipped({"handler.py": "def lambda_handler(e, c): return 1\n"}))
        before = sorted(os.listdir(self.unpacked()))
        for number in range(3):
            self.api.update_function_code(FunctionName=name, ZipFile=zipped({"handler.py": f"# {number}"}), DryRun=True)
        self.refused("PreconditionFailedException", self.api.update_function_code, FunctionName=name, RevisionId="another",
                     ZipFile=zipped({"handler.py": "# refused"}))
        wait_until(lambda: sorted(os.listdir(self.unpacked())) == before, what="its removal")
        self.assertEqual(invoke(name, url=self.pawl.url).payload, 1)

    def test_a_server_on_a_copy_leaves_the_code_of_the_first(self):
        name = self.made(zipped({"handler.py": "def lambda_handler(e, c): return 1\n"}))
        cleanup = suite.current().cleanup
        copy = cleanup.directory()
        other = Pawl(suite.current().require_binary(), suite.current().ports, copy)
        subprocess.run(["cp", "-a", self.pawl.data + "/.", other.data], check=True)
        cleanup.add(other)
        first = self.unpacked()
        other.start()
        try:
            self.assertEqual(invoke(name, url=other.url).payload, 1)
            self.assertNotEqual(self.unpacked(other.data), first)
        finally:
            other.stop()
        self.assertEqual(invoke(name, url=self.pawl.url).payload, 1)

    def test_code_that_somebody_removed_is_unpacked_again(self):
        name = self.made(zipped({"handler.py": "def lambda_handler(e, c): return 1\n"}))
        subprocess.run(["rm", "-rf", self.unpacked()], check=True)
        self.assertEqual(invoke(name, url=self.pawl.url).payload, 1)

    def test_unpacking_holds_up_neither_calls_nor_events_nor_logs(self):
        quick = self.made(zipped({"handler.py": "def lambda_handler(e, c): return 1\n"}))
        invoke(quick, url=self.pawl.url)
        large = zipped({f"d{i % 50}/e/f/g/{i}": "" for i in range(25_000)} | {"handler.py": "def lambda_handler(e, c): return 2\n"})
        done = []
        thread = threading.Thread(target=lambda: done.append(self.made(large)))
        began = time.monotonic()
        thread.start()
        worst, rounds = 0.0, 0
        while thread.is_alive():
            begun = time.monotonic()
            self.assertEqual(self.api.invoke(FunctionName=quick, InvocationType="Event", Payload=b"1")["StatusCode"], 202)
            self.assertEqual(invoke(quick, url=self.pawl.url).payload, 1)
            texts(quick, url=self.pawl.url)
            worst, rounds = max(worst, time.monotonic() - begun), rounds + 1
        thread.join()
        took = time.monotonic() - began
        print(f"25,000 files unpacked in {took:.1f} s; the slowest of {rounds} rounds meanwhile took {worst:.2f} s")
        self.assertEqual(len(done), 1)
        self.assertGreater(rounds, 2)
        self.assertLess(worst, max(2, took / 2), "a round waited for the unpacking")
