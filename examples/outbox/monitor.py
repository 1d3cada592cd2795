"""Heart rates of one patient as fast as they come: monitor.py PATIENT SAMPLES SENSORS. Each sample is a new version of the one item,
and a row of its history, in one transaction. The sensors write at the same time."""

import random
import sys
import threading
import time
import uuid

import boto3
from botocore.config import Config


class Sensor(threading.Thread):
    def __init__(self, patient, samples):
        super().__init__()
        self.patient, self.samples, self.written = patient, samples, 0
        self.name = uuid.uuid4().hex[:8]
        self.table = boto3.session.Session().client(
            "dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 8}))

    def version(self):
        item = self.table.get_item(TableName="hearts", Key={"patient": {"S": self.patient}}, ConsistentRead=True).get("Item")
        return int(item["version"]["N"]) if item else -1

    def write(self, version, bpm):
        """False: another sensor was first. A transaction sent again with the same token happens once."""
        sample = {"patient": {"S": self.patient}, "version": {"N": str(version)}, "bpm": {"N": str(bpm)},
                  "sensor": {"S": self.name}, "at": {"N": f"{time.time():.3f}"}}
        unchanged = {"ConditionExpression": "attribute_not_exists(patient)"}
        if version > 0:
            unchanged = {"ConditionExpression": "version = :before",
                         "ExpressionAttributeValues": {":before": {"N": str(version - 1)}}}
        try:
            self.table.transact_write_items(ClientRequestToken=str(uuid.uuid4()), TransactItems=[
                {"Put": {"TableName": "hearts", "Item": sample, **unchanged}},
                {"Put": {"TableName": "hearts-history", "Item": sample, "ConditionExpression": "attribute_not_exists(patient)"}}])
            return True
        except self.table.exceptions.TransactionCanceledException:
            return False

    def run(self):
        version = self.version()
        while self.written < self.samples:
            if self.write(version + 1, random.randint(55, 95)):
                version, self.written = version + 1, self.written + 1
            else:
                version = self.version()


def main(patient, samples, sensors):
    started = time.monotonic()
    threads = [Sensor(patient, samples // sensors) for _ in range(sensors)]
    for sensor in threads:
        sensor.start()
    for sensor in threads:
        sensor.join()
    written = sum(sensor.written for sensor in threads)
    print(f"{written} samples of {patient} in {time.monotonic() - started:.1f} s; version {threads[0].version()}")
    if written < samples // sensors * sensors:
        sys.exit(1)  # a sensor ended with an error, which it has printed


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
