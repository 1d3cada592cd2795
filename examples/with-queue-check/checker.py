"""Takes each check from the queue: is that version's object in the bucket? A check ends only when its object was seen.
Runs for ever, or with `--until-empty` until no check is open."""

import json
import os
import sys

import boto3
import purchase
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = os.environ.get("BUCKET", "purchases-history")
LOOKS_BEFORE_PUTTING_BACK = 2

patient = Config(retries={"mode": "standard", "max_attempts": 8})
s3 = boto3.client("s3", config=patient)
queue = boto3.resource("sqs", config=patient).get_queue_by_name(QueueName="purchases-check")


def content(name):
    """What the bucket has under that name, or None."""
    try:
        return s3.get_object(Bucket=BUCKET, Key=name)["Body"].read().decode()
    except s3.exceptions.NoSuchKey:
        return None


def check(message):
    """Leaving the message is asking again: it comes back after its visibility timeout, and is a dead letter after five looks."""
    name = purchase.name(json.loads(message.body))
    found = content(name)
    if found == message.body:
        message.delete()
    elif found is not None:
        print(f"{name} has other content: left for a person")
    elif int(message.attributes["ApproximateReceiveCount"]) >= LOOKS_BEFORE_PUTTING_BACK:
        print(f"{name} was missing: put back")
        s3.put_object(Bucket=BUCKET, Key=name, Body=message.body.encode())


def open_checks():
    queue.reload()
    return sum(int(queue.attributes["ApproximateNumberOfMessages" + which]) for which in ("", "NotVisible", "Delayed"))


def main(until_empty):
    while not until_empty or open_checks():
        for message in queue.receive_messages(MaxNumberOfMessages=10, WaitTimeSeconds=2,
                                              AttributeNames=["ApproximateReceiveCount"]):
            try:
                check(message)
            except (ValueError, KeyError, TypeError, ClientError, BotoCoreError) as error:
                print(f"could not check {message.body[:60]!r}: {error!r}")
        sys.stdout.flush()


if __name__ == "__main__":
    main("--until-empty" in sys.argv)
