"""All versions of a page, oldest first: history.py PAGE [FIRST LAST]. One Query, whose cost is that of the rows it returns."""

import sys

import boto3
from boto3.dynamodb.conditions import Key


def versions(page, first, last):
    query = {"TableName": "edits", "ConsistentRead": True,
             "KeyConditionExpression": Key("page").eq(page) & Key("version").between(first, last)}
    for part in boto3.resource("dynamodb").meta.client.get_paginator("query").paginate(**query):
        yield from part["Items"]


def main(page, first=0, last=10**15):
    due = first
    for row in versions(page, first, last):
        if row["version"] != due:
            sys.exit(f"version {due} of {page} is missing")
        print(f"{row['version']:>6} {row['editor']:<8} {row['text'][-60:]}")
        due += 1


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:4]))
