"""One object for every version of every purchase."""

import os

import boto3
import purchase

s3 = boto3.client("s3")


def lambda_handler(event, context):
    for record in event["Records"]:
        image = record["dynamodb"].get("NewImage")
        if image:
            print(f"put {purchase.name(image)}")
            s3.put_object(Bucket=os.environ["BUCKET"], Key=purchase.name(image), Body=purchase.body(image).encode())
