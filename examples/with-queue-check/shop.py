"""Purchases of customers: shop.py FIRST LAST. Each is ordered, paid and shipped: three versions, and a check for each."""

import random
import sys

import boto3
import purchase
from botocore.config import Config

patient = Config(retries={"mode": "standard", "max_attempts": 8})
table = boto3.client("dynamodb", config=patient)
sqs = boto3.client("sqs", config=patient)
checks = sqs.get_queue_url(QueueName="purchases-check")["QueueUrl"]


def change(number, state, amount):
    """A new version of the purchase; then the check of just this version, which carries all that it takes to put it back."""
    done = table.update_item(
        TableName="purchases", Key={"id": {"S": number}}, ReturnValues="ALL_NEW",
        UpdateExpression="ADD #version :one SET #state = :state, #amount = if_not_exists(#amount, :amount)",
        ExpressionAttributeNames={"#version": "_version", "#state": "state", "#amount": "amount"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":state": {"S": state}, ":amount": {"N": str(amount)}})
    sqs.send_message(QueueUrl=checks, MessageBody=purchase.body(done["Attributes"]))


def main(first, last):
    for number in range(first, last + 1):
        for state in ("ordered", "paid", "shipped"):
            change(f"P{number:05d}", state, random.randint(100, 9900))
        print(f"P{number:05d} is shipped")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
