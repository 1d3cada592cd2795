"""Table with stream, bucket, function and mapping; and the queue of checks, with one for those that never succeed."""

import io
import json
import os
import zipfile

import boto3

BUCKET = os.environ.get("BUCKET", "purchases-history")
ROLE = os.environ.get("ROLE", "arn:aws:iam::000000000000:role/purchases")
CHECK_AFTER_S = os.environ.get("CHECK_AFTER_S", "2")  # on the service rather 60
LOOKS_MAX = 5


def code():
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as files:
        for name in ("handler.py", "purchase.py"):
            files.write(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), name)
    return package.getvalue()


def make_queues():
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName="purchases-dead", Attributes={"MessageRetentionPeriod": "1209600"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.create_queue(QueueName="purchases-check", Attributes={
        "DelaySeconds": CHECK_AFTER_S, "VisibilityTimeout": CHECK_AFTER_S, "MessageRetentionPeriod": "1209600",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": LOOKS_MAX})})


def main():
    table = boto3.client("dynamodb").create_table(
        TableName="purchases", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    functions = boto3.client("lambda")
    functions.create_function(FunctionName="purchases-to-bucket", Runtime="python3.11", Handler="handler.lambda_handler",
                              Role=ROLE, Timeout=30, Environment={"Variables": {"BUCKET": BUCKET}}, Code={"ZipFile": code()})
    functions.create_event_source_mapping(FunctionName="purchases-to-bucket", StartingPosition="TRIM_HORIZON",
                                          EventSourceArn=table["TableDescription"]["LatestStreamArn"])
    make_queues()


if __name__ == "__main__":
    main()
