"""Copies new rows of a patient's history into the bucket: relay.py PATIENT. Stop it anywhere and start it again: it goes on behind what
it has noted, and an object that it puts once more is the same."""

import json
import os
import sys

import boto3
from boto3.dynamodb.conditions import Key

BUCKET = os.environ.get("BUCKET", "hearts-history")
s3 = boto3.client("s3")
client = boto3.resource("dynamodb").meta.client


def position(patient):
    try:
        return int(s3.get_object(Bucket=BUCKET, Key=f"positions/{patient}")["Body"].read())
    except s3.exceptions.NoSuchKey:
        return 0


def main(patient):
    due = position(patient)
    pages = client.get_paginator("query").paginate(
        TableName="hearts-history", KeyConditionExpression=Key("patient").eq(patient) & Key("version").gte(due),
        ConsistentRead=True, PaginationConfig={"PageSize": 100})
    for page in pages:
        for row in page["Items"]:
            if row["version"] != due:
                sys.exit(f"version {due} of {patient} is missing")
            s3.put_object(Bucket=BUCKET, Key=f"hearts/{patient}-{due}.json", Body=json.dumps(row, default=str, sort_keys=True).encode())
            due += 1
        s3.put_object(Bucket=BUCKET, Key=f"positions/{patient}", Body=str(due).encode())  # behind the objects, never before
    print(f"{patient}: {due} versions are in the bucket")


if __name__ == "__main__":
    main(sys.argv[1])
