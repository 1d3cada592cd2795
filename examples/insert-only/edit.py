"""Edits a page: edit.py PAGE EDITOR EDITS. Each edit is a row of its own, one version above the newest. Several may edit at once."""

import sys
import uuid

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config

edits = boto3.resource("dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 8})).Table("edits")


def newest(page):
    rows = edits.query(KeyConditionExpression=Key("page").eq(page), ScanIndexForward=False, Limit=1, ConsistentRead=True)
    return rows["Items"][0] if rows["Items"] else {"version": -1, "text": ""}


def insert(row):
    """False: somebody else's edit has this version."""
    try:
        edits.put_item(Item=row, ConditionExpression="attribute_not_exists(page)")
        return True
    except edits.meta.client.exceptions.ConditionalCheckFailedException:
        there = edits.get_item(Key={"page": row["page"], "version": row["version"]}, ConsistentRead=True)["Item"]
        return there["edit"] == row["edit"]  # ours after all: its answer was lost, and the put was sent again


def edit(page, editor, word):
    row = {"page": page, "editor": editor, "edit": str(uuid.uuid4())}
    while True:
        before = newest(page)
        row |= {"version": before["version"] + 1, "text": f"{before['text']} {word}".strip()[-200:]}
        if insert(row):
            return row["version"]


def main(page, editor, count):
    for number in range(count):
        version = edit(page, editor, f"{editor}{number}")
        print(f"{editor}: {page} is at version {version}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
