"""One object for every version of every account: what the stream's records say it was."""

import json
import os

import boto3

BUCKET = os.environ.get("BUCKET", "points-history")
s3 = boto3.client("s3")


def lambda_handler(event, context):
    for record in event["Records"]:
        image = record["dynamodb"].get("NewImage")
        if image is None:
            continue  # a deletion: it leaves no object
        hashid, version = image["hashid"]["S"], image["_version"]["N"]
        key = f"logs/{hashid}-{version}.log"
        print(f"put {key}")
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(image, sort_keys=True).encode())
    return f"{len(event['Records'])} records"
