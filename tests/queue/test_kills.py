"""A server that is stopped, and killed at random instants under load: what was acknowledged is received, what was deleted does
not come back, and nothing is there that nobody sent."""

import json
import random
import threading
import time
from collections import Counter

from botocore.exceptions import BotoCoreError, ClientError

from blackbox import suite
from blackbox.raw_http import Connection
from blackbox.servers import Pawl
from shared import Case, client, fresh, patient

KILLS = 10
SENDERS = 6
WORKERS = 4


class Load:
    """Senders and workers on one queue that go on while the server comes and goes. A send whose answer was lost is sent again
    by boto3, and is then another message with the same body: so all but `tried` is by message id."""

    def __init__(self, url, queue):
        self.url, self.queue = url, queue
        self.lock = threading.Lock()
        self.tried = set()  # bodies
        self.acknowledged = set()
        self.deleted = {}  # -> when its deletion was answered
        self.deleting = set()  # whose deletion may or may not have been done
        self.came_back = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(n,), daemon=True) for n in range(SENDERS)]
        self.threads += [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]

    def send(self, number):
        sqs, at = client(self.url), 0
        while not self.ended.is_set():
            at += 1
            bodies = [f"{number}-{at}-{n}" for n in range(3)]
            with self.lock:
                self.tried.update(bodies)
            try:
                done = sqs.send_message_batch(QueueUrl=self.queue,
                                              Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)])
                with self.lock:
                    self.acknowledged.update(one["MessageId"] for one in done["Successful"])
            except (BotoCoreError, ClientError):
                time.sleep(0.05)

    def work(self):
        sqs = client(self.url)
        while not self.ended.is_set():
            try:
                asked = time.monotonic()
                for message in sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=2,
                                                   WaitTimeSeconds=1).get("Messages", []):
                    self.handle(sqs, message, asked)
            except (BotoCoreError, ClientError):
                time.sleep(0.05)

    def handle(self, sqs, message, asked):
        number = message["MessageId"]
        with self.lock:
            if self.deleted.get(number, asked) < asked:
                self.came_back.append(number)
            if random.random() < 0.3:
                return  # its visibility runs out
            self.deleting.add(number)
        sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        with self.lock:
            self.deleted.setdefault(number, time.monotonic())

    def progress(self, sends=30, deletions=3, timeout_s=180):
        """Waits until so many more were answered, however busy the machine is."""
        sends, deletions = len(self.acknowledged) + sends, len(self.deleted) + deletions
        deadline = time.monotonic() + timeout_s
        while len(self.acknowledged) < sends or len(self.deleted) < deletions:
            if time.monotonic() > deadline:
                raise AssertionError("the server is up, and nothing moves")
            time.sleep(0.02)

    def start(self):
        for thread in self.threads:
            thread.start()

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


class Kills(Case):
    def server(self):
        context = suite.current()
        pawl = context.cleanup.add(Pawl(context.require_binary(), context.ports, context.cleanup.directory()))
        return pawl.start()

    def test_stopped_and_started_again(self):
        pawl = self.server()
        sqs = patient(pawl.url)
        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        for n in range(5):
            sqs.send_message(QueueUrl=url, MessageBody=str(n), DelaySeconds=900 if n == 4 else 0)
        [deleted, hidden] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=deleted["ReceiptHandle"])
        other = sqs.create_queue(QueueName="other")["QueueUrl"]
        poll = Connection("127.0.0.1", pawl.port)
        self.assertEqual(poll.call("ReceiveMessage", {"QueueUrl": other}, prefix="AmazonSQS.").json(), {})
        poll.send("AmazonSQS.ReceiveMessage", json.dumps({"QueueUrl": other, "WaitTimeSeconds": 20}).encode())
        time.sleep(0.5)
        started = time.monotonic()
        self.assertEqual(pawl.stop(), 0, pawl.log_end())
        self.assertLess(time.monotonic() - started, 18, "a receive that waits does not hold a stop")
        self.assertEqual(poll.receive().json(), {})
        pawl.start()
        got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual([got["ApproximateNumberOfMessages" + end] for end in ("", "NotVisible", "Delayed")], ["2", "1", "1"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=hidden["ReceiptHandle"])
        left = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual(len({m["Body"] for m in left} - {deleted["Body"], hidden["Body"]}), 2)
        pawl.kill()
        pawl.start()
        again = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual(again["ApproximateNumberOfMessagesNotVisible"], "2", "a killed process forgets no receive")

    def test_killed_under_load(self):
        pawl = self.server()
        queue = patient(pawl.url).create_queue(QueueName=fresh("load"))["QueueUrl"]
        load = Load(pawl.url, queue)
        load.start()
        for _ in range(KILLS):
            load.progress()
            time.sleep(random.uniform(0, 0.5))
            pawl.kill()
            pawl.start()
        time.sleep(0.5)
        load.end()
        left = Counter()
        sqs = patient(pawl.url)
        time.sleep(2.5)  # what is in flight comes back
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
            left.update(m["MessageId"] for m in messages)
            self.assertEqual({m["Body"] for m in messages} - load.tried, set())
        self.assertGreaterEqual(len(load.acknowledged), 30 * KILLS)
        self.assertGreaterEqual(len(load.deleted), 3 * KILLS)
        self.assertEqual(load.came_back, [])
        self.assertEqual(set(left) & set(load.deleted), set(), "a deletion that was answered is for ever")
        self.assertEqual(load.acknowledged - set(left) - load.deleting, set(), "acknowledged, and lost")
        self.assertEqual([number for number, times in left.items() if times > 1], [], "handed out twice at once")
        counted = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        self.assertEqual((counted["ApproximateNumberOfMessages"], counted["ApproximateNumberOfMessagesNotVisible"]),
                         ("0", str(len(left))))
