"""Opens accounts and books points: client.py ACCOUNTS BOOKINGS. Each booking is a new version of its account."""

import random
import sys

import boto3
from botocore.config import Config

REASONS = [("purchase", 50), ("review", 10), ("gift", 100), ("spent", -30)]

# A server that is gone for a while is waited for.
points = boto3.resource("dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 8})).Table("points")


def open_account(hashid):
    try:
        points.put_item(Item={"hashid": hashid, "_version": 0, "points": 0, "reason": "opened"},
                        ConditionExpression="attribute_not_exists(hashid)")
    except points.meta.client.exceptions.ConditionalCheckFailedException:
        pass  # it was there


def book(hashid, reason, amount):
    done = points.update_item(Key={"hashid": hashid}, UpdateExpression="ADD points :amount, #v :one SET reason = :reason",
                              ExpressionAttributeNames={"#v": "_version"}, ReturnValues="ALL_NEW",
                              ExpressionAttributeValues={":amount": amount, ":one": 1, ":reason": reason})
    return done["Attributes"]


def main(accounts, bookings):
    names = [f"A{number:06d}" for number in range(1, accounts + 1)]
    for hashid in names:
        open_account(hashid)
    for _ in range(bookings):
        for hashid in names:
            account = book(hashid, *random.choice(REASONS))
            print(f"{hashid} is at version {account['_version']}, {account['points']} points", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
