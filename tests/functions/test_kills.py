"""A server that is killed between any two steps, and in the middle of them: functions, their code and what they wrote are there
again, and no process outlives it."""

import os
import random
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from blackbox import suite
from blackbox.servers import Pawl
from shared import ROLE, Case, client, fresh, invoke, texts, wait_until, zipped

KILLS = 8
ECHO = "import os\ndef lambda_handler(event, context):\n    print('call', event, os.getpid(), flush=True)\n    return {version!r}\n"


def processes_of(folder):
    """Those that run beneath a folder of code."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd").startswith(folder):
                found.append(int(pid))
        except OSError:
            continue
    return found


class Kills(Case):
    def setUp(self):
        cleanup = suite.current().cleanup
        self.pawl = cleanup.add(Pawl(suite.current().require_binary(), suite.current().ports, cleanup.directory()))
        self.pawl.start()

    def tearDown(self):
        self.pawl.stop()

    def again(self):
        self.pawl.kill()
        self.pawl.start()

    def unpacked(self):
        with open(os.path.join(self.pawl.data, "functions", "unpacked-in"), encoding="utf-8") as file:
            return file.read()

    def test_between_any_two_steps(self):
        url, name = self.pawl.url, "archive"
        api = client(url=url)
        self.again()
        made = api.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler",
                                   Code={"ZipFile": zipped({"handler.py": ECHO.format(version=1)})})
        self.again()
        self.assertEqual(api.get_function(FunctionName=name)["Configuration"]["RevisionId"], made["RevisionId"])
        self.assertEqual(invoke(name, 1, url=url).payload, 1)
        first = self.unpacked()
        self.again()
        self.assertFalse(os.path.exists(first), "what was unpacked before is gone")
        self.assertIn("call 1", "\n".join(texts(name, url=url)))
        self.assertEqual(invoke(name, 2, url=url).payload, 1)
        api.update_function_code(FunctionName=name, ZipFile=zipped({"handler.py": ECHO.format(version=2)}))
        self.again()
        self.assertEqual(invoke(name, 3, url=url).payload, 2)
        api.update_function_configuration(FunctionName=name, Timeout=77)
        self.again()
        self.assertEqual(api.get_function_configuration(FunctionName=name)["Timeout"], 77)
        self.assertEqual([text.split()[1] for text in texts(name, url=url) if text.startswith("call")], ["1", "2", "3"])
        api.delete_function(FunctionName=name)
        self.again()
        self.refused("ResourceNotFoundException", api.get_function, FunctionName=name)

    def test_accepted_invocations_are_run_after_a_kill(self):
        url, name = self.pawl.url, "later"
        api = client(url=url)
        api.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler",
                            Code={"ZipFile": zipped({"handler.py": ECHO.format(version=1)})})
        api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        for number in range(5):
            self.assertEqual(api.invoke(FunctionName=name, InvocationType="Event", Payload=str(number).encode())["StatusCode"], 202)
        self.again()
        self.assertFalse([text for text in texts(name, url=url) if text.startswith("call")])
        api.delete_function_concurrency(FunctionName=name)
        wait_until(lambda: len({text.split()[1] for text in texts(name, url=url) if text.startswith("call")}) == 5, what="all of them")

    def test_no_process_outlives_it(self):
        url = self.pawl.url
        name = fresh()
        code = "import time\ndef lambda_handler(event, context):\n    print('begun', flush=True)\n    time.sleep(300)\n"
        client(url=url).create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler", Timeout=400,
                                        Code={"ZipFile": zipped({"handler.py": code})})
        for times, end in enumerate((self.pawl.kill, lambda: self.assertEqual(self.pawl.stop(), 0)), start=1):
            folder = self.unpacked()
            thread = threading.Thread(target=self.call_in_vain, args=(url, name))
            thread.start()
            wait_until(lambda: texts(name, url=url).count("begun") == times, what="the call")
            self.assertEqual(len(processes_of(folder)), 1)
            end()
            wait_until(lambda: not processes_of(folder), what="the process's end")
            thread.join()
            self.pawl.start()

    @staticmethod
    def call_in_vain(url, name):
        try:
            invoke(name, url=url)
        except (BotoCoreError, ClientError):
            pass

    def test_killed_while_functions_are_made_and_called(self):
        url = self.pawl.url
        api = boto3.client("lambda", endpoint_url=url, config=Config(retries={"max_attempts": 0}, read_timeout=60))
        present, unsure, ended = {}, set(), threading.Event()
        lock = threading.Lock()
        done = {"create": 0, "change": 0, "delete": 0}
        failure = []

        def run():
            try:
                change()
            except Exception as error:  # pylint: disable=broad-exception-caught
                failure.append(error)

        def change():
            number = 0
            while not ended.is_set():
                number += 1
                name = f"f{random.randrange(6)}"
                code = zipped({"handler.py": ECHO.format(version=number)})
                with lock:
                    known = present.get(name)
                    unsure.add(name)
                try:
                    if known is None:
                        api.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler", Code={"ZipFile": code})
                        known, what = number, "create"
                    elif random.random() < 0.3:
                        api.delete_function(FunctionName=name)
                        known, what = None, "delete"
                    else:
                        api.update_function_code(FunctionName=name, ZipFile=code)
                        known, what = number, "change"
                    done[what] += 1
                    with lock:
                        unsure.discard(name)
                        present[name] = known
                except (BotoCoreError, ClientError):
                    time.sleep(0.02)
                    with lock:
                        self.settle(api, name, present, unsure, number)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        for _ in range(KILLS):
            so_far = sum(done.values())
            wait_until(lambda so_far=so_far: failure or sum(done.values()) > so_far, what="a change")
            time.sleep(random.uniform(0, 0.5))
            self.again()
        wait_until(lambda: failure or all(done.values()), what="changes of every kind")
        ended.set()
        thread.join(120)
        self.assertFalse(thread.is_alive(), "changes go on to the end")
        self.assertEqual(failure, [])
        for what, times in done.items():
            self.assertGreater(times, 0, f"{what}: {done}")
        self.assertTrue(set(present) - unsure, "of something it is known what it must be")
        for name, version in present.items():
            if name in unsure:
                continue
            if version is None:
                self.refused("ResourceNotFoundException", api.get_function, FunctionName=name)
            else:
                self.assertEqual(invoke(name, url=url).payload, version, name)

    def test_killed_with_asynchronous_invocations_under_way(self):
        """None that was accepted is lost; few are done twice. A clean end takes part, too."""
        url = self.pawl.url
        api = boto3.client("lambda", endpoint_url=url, config=Config(retries={"max_attempts": 0}, read_timeout=60))
        code = "import time\ndef lambda_handler(event, context):\n    time.sleep(0.02)\n    print('done', event, flush=True)\n"
        for name in ("first", "second"):
            api.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler", Timeout=30,
                                Code={"ZipFile": zipped({"handler.py": code})})
        accepted, ended, failure = {"first": set(), "second": set()}, threading.Event(), []

        def send():
            number = 0
            try:
                while not ended.is_set():
                    number += 1
                    name = random.choice(("first", "second"))
                    try:
                        api.invoke(FunctionName=name, InvocationType="Event", Payload=str(number).encode())
                        accepted[name].add(number)
                    except (BotoCoreError, ClientError):
                        time.sleep(0.02)
            except Exception as error:  # pylint: disable=broad-exception-caught
                failure.append(error)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        ends = 0
        for turn in range(1, KILLS + 1):
            wait_until(lambda turn=turn: failure or min(map(len, accepted.values())) > 2 * turn, what="invocations")
            time.sleep(random.uniform(0, 0.5))
            if random.random() < 0.3:
                self.assertEqual(self.pawl.stop(), 0)
            else:
                self.pawl.kill()
            ends += 1
            self.pawl.start()
        ended.set()
        thread.join(120)
        self.assertFalse(thread.is_alive())
        self.assertEqual(failure, [])
        for name, numbers in accepted.items():
            self.assertGreater(len(numbers), KILLS)
            done = lambda name=name: [int(text.split()[1]) for text in texts(name, url=url) if text.startswith("done")]
            wait_until(lambda numbers=numbers, done=done: numbers <= set(done()), 300, f"all that was accepted of {name}")
            runs = done()
            self.assertLessEqual(len(runs) - len(set(runs)), ends * 8, "only what was under way is done again")

    @staticmethod
    def settle(api, name, present, unsure, number):
        """What became of a change whose answer was lost: the server's word, once it is there again."""
        for _ in range(200):
            try:
                invoked = api.invoke(FunctionName=name, Payload=b"0")
                present[name] = int(invoked["Payload"].read())
                unsure.discard(name)
                return
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    present[name] = None
                    unsure.discard(name)
                    return
            except (BotoCoreError, ValueError):
                pass
            time.sleep(0.05)
