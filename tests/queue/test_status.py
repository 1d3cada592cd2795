"""What `pawl status`, /status and /metrics say of queues. They are a second old or two."""

import json
import time
import unittest
import urllib.request

from blackbox import suite
from shared import Case, client, fresh

SHOWN_S = 120.0


def ask(path):
    with urllib.request.urlopen(suite.current().url + path, timeout=120) as answer:
        return answer.read().decode()


def figures(name):
    return next((queue for queue in json.loads(ask("/status"))["queues"] if queue["queue"] == name), None)


class Status(Case):
    def shown(self, name, **wanted):
        """The figures of a queue once they are as wanted; the last that there were, if that does not come."""
        deadline = time.monotonic() + SHOWN_S
        while True:
            found = figures(name)
            if found and all(found[key] == value for key, value in wanted.items()):
                return found
            if time.monotonic() > deadline:
                self.fail(f"{wanted} is not shown, but {found}")
            time.sleep(0.1)

    # The first 100 by name have figures of their own: before those that other tests have made.
    def made(self, **attributes):
        name = fresh("A-status")
        url = client().create_queue(QueueName=name, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]
        self.addCleanup(client().delete_queue, QueueUrl=url)
        return name, url

    def test_counts_and_age(self):
        name, url = self.made()
        for _ in range(3):
            client().send_message(QueueUrl=url, MessageBody="x")
        client().send_message(QueueUrl=url, MessageBody="later", DelaySeconds=600)
        [got] = self.receive(url, count=1, VisibilityTimeout=600)
        found = self.shown(name, visible=2, in_flight=1, delayed=1)
        client().change_message_visibility(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=2)
        self.assertLess(found["oldest_age_ms"], 60_000)
        self.assertEqual((found["expired"], found["holds_dead_letters"], found["retention_s"]), (0, False, 345_600))
        self.shown(name, visible=3, in_flight=0, delayed=1)  # nobody asks: time alone
        metrics = ask("/metrics")
        self.assertIn(f'pawl_queue_messages{{queue="{name}",state="visible"}} 3\n', metrics)
        self.assertIn(f'pawl_queue_oldest_age_milliseconds{{queue="{name}"}} ', metrics)
        client().purge_queue(QueueUrl=url)
        self.assertNotIn("oldest_age_ms", self.shown(name, visible=0, delayed=0))

    def test_dead_letters_are_named_on_the_terminal(self):
        dead, dead_url = self.made()
        arn = client().get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        name, url = self.made(VisibilityTimeout=0, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1}))
        client().send_message(QueueUrl=url, MessageBody="poison")
        self.receive(url)
        self.receive(url)
        self.assertTrue(self.shown(dead, visible=1)["holds_dead_letters"])
        pawl = suite.current().require_pawl()
        text = pawl.run("status", "--endpoint", pawl.url).stdout
        self.assertIn(f"\nqueue {dead}: 1 dead letter\n", text)
        self.assertNotIn(f"queue {name}:", text)


if __name__ == "__main__":
    unittest.main()
