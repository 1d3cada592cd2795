"""What the tests of this folder share."""

import uuid

import boto3
from botocore.config import Config

from blackbox import suite
from blackbox.client_case import ClientCase


def client(url=None, **more):
    return boto3.client("sqs", endpoint_url=url or suite.current().url, **more)


def patient(url):
    """A client that goes on trying while its server is away."""
    return client(url, config=Config(retries={"mode": "standard", "max_attempts": 20}, read_timeout=30))


def fresh(prefix="q"):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


class Case(ClientCase):
    def create(self, **attributes):
        name = fresh()
        return client().create_queue(QueueName=name, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]

    def receive(self, url, count=10, **more):
        return client().receive_message(QueueUrl=url, MaxNumberOfMessages=count, **more).get("Messages", [])

    def counts(self, url):
        got = client().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return tuple(int(got["ApproximateNumberOfMessages" + end]) for end in ("", "NotVisible", "Delayed"))
