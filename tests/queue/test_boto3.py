"""boto3 from Debian, which speaks the query protocol and checks the digest of each body."""

import hashlib
import json
import threading
import time

import boto3
from botocore.config import Config

from blackbox import suite
from shared import Case, client, fresh

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


class Queues(Case):
    def test_create_find_list_delete(self):
        sqs, name = client(), fresh()
        url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
        self.assertEqual(url, f"{suite.current().url}/000000000000/{name}")
        self.assertEqual(sqs.create_queue(QueueName=name)["QueueUrl"], url)
        self.assertEqual(sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "5"})["QueueUrl"], url)
        self.refused("QueueAlreadyExists", sqs.create_queue, QueueName=name, Attributes={"VisibilityTimeout": "6"})
        self.assertEqual(sqs.get_queue_url(QueueName=name)["QueueUrl"], url)
        self.assertEqual(sqs.list_queues(QueueNamePrefix=name)["QueueUrls"], [url])
        sqs.delete_queue(QueueUrl=url)
        with self.assertRaises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName=name)
        self.refused(NO_QUEUE, sqs.send_message, QueueUrl=url, MessageBody="late")
        self.refused(NO_QUEUE, sqs.receive_message, QueueUrl=url)
        self.refused(NO_QUEUE, sqs.delete_queue, QueueUrl=url)
        self.assertEqual(sqs.create_queue(QueueName=name)["QueueUrl"], url)

    def test_pages_of_a_list(self):
        sqs, prefix = client(), fresh("pages")
        urls = [sqs.create_queue(QueueName=f"{prefix}-{n}")["QueueUrl"] for n in range(5)]
        pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2}))
        self.assertEqual([len(page["QueueUrls"]) for page in pages], [2, 2, 1])
        self.assertEqual([url for page in pages for url in page["QueueUrls"]], urls)
        self.assertNotIn("QueueUrls", sqs.list_queues(QueueNamePrefix=prefix + "x"))
        self.refused("InvalidParameterValue", sqs.list_queues, MaxResults=1001)
        self.refused("InvalidParameterValue", sqs.list_queues, NextToken="nonsense", MaxResults=1)

    def test_attributes(self):
        url = self.create(MessageRetentionPeriod=60, MaximumMessageSize=2048, ReceiveMessageWaitTimeSeconds=1)
        got = client().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual((got["MessageRetentionPeriod"], got["MaximumMessageSize"], got["DelaySeconds"]), ("60", "2048", "0"))
        self.assertTrue(got["QueueArn"].startswith("arn:aws:sqs:us-east-1:000000000000:"))
        self.assertLess(abs(int(got["CreatedTimestamp"]) - time.time()), 60)
        client().set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "900", "VisibilityTimeout": "43200"})
        some = client().get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds", "VisibilityTimeout"])["Attributes"]
        self.assertEqual(some, {"DelaySeconds": "900", "VisibilityTimeout": "43200"})
        self.assertNotIn("Attributes", client().get_queue_attributes(QueueUrl=url))
        for name, value in (("VisibilityTimeout", "43201"), ("MessageRetentionPeriod", "59"), ("DelaySeconds", "-1"),
                            ("MaximumMessageSize", "1023"), ("ReceiveMessageWaitTimeSeconds", "21"), ("DelaySeconds", "1.5")):
            self.refused("InvalidAttributeValue", client().set_queue_attributes, QueueUrl=url, Attributes={name: value})
        self.refused("InvalidAttributeName", client().set_queue_attributes, QueueUrl=url, Attributes={"Colour": "red"})
        self.refused("InvalidAttributeName", client().get_queue_attributes, QueueUrl=url, AttributeNames=["Colour"])

    def test_what_is_left_out_is_named(self):
        sqs, url = client(), self.create()
        code = "AWS.SimpleQueueService.UnsupportedOperation"
        for word, call in (
                ("FIFO", lambda: sqs.create_queue(QueueName="x.fifo", Attributes={"FifoQueue": "true"})),
                ("FIFO", lambda: sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g")),
                ("encryption", lambda: sqs.create_queue(QueueName=fresh(), Attributes={"KmsMasterKeyId": "k"})),
                ("permissions", lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "{}"})),
                ("permissions", lambda: sqs.add_permission(QueueUrl=url, Label="l", AWSAccountIds=["1"], Actions=["*"])),
                ("tags", lambda: sqs.create_queue(QueueName=fresh(), tags={"a": "b"})),
                ("tags", lambda: sqs.list_queue_tags(QueueUrl=url))):
            self.assertIn(word, self.refused(code, call).response["Error"]["Message"])

    def test_purge(self):
        url = self.create()
        for n in range(3):
            client().send_message(QueueUrl=url, MessageBody=str(n))
        [held] = self.receive(url, 1)
        client().purge_queue(QueueUrl=url)
        self.assertEqual(self.counts(url), (0, 0, 0))
        client().delete_message(QueueUrl=url, ReceiptHandle=held["ReceiptHandle"])
        client().send_message(QueueUrl=url, MessageBody="after")
        self.assertEqual([m["Body"] for m in self.receive(url)], ["after"])


class Messages(Case):
    def test_a_message_with_everything(self):
        url, body = self.create(), "überall \U0001f980 <tag attr=\"&\">\r\n\ttab"
        sent = client().send_message(
            QueueUrl=url, MessageBody=body,
            MessageAttributes={"text": {"DataType": "String.label", "StringValue": "é"},
                               "number": {"DataType": "Number", "StringValue": "-1.5e3"},
                               "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2"}})
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5(body.encode()).hexdigest())
        [message] = self.receive(url, AttributeNames=["All"], MessageAttributeNames=["All"])
        self.assertEqual((message["Body"], message["MessageId"]), (body, sent["MessageId"]))
        self.assertEqual(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
        self.assertEqual(message["MessageAttributes"]["bytes"], {"DataType": "Binary", "BinaryValue": b"\x00\xff"})
        self.assertEqual(message["MessageAttributes"]["text"], {"DataType": "String.label", "StringValue": "é"})
        attributes = message["Attributes"]
        self.assertEqual((attributes["AWSTraceHeader"], attributes["ApproximateReceiveCount"]), ("Root=1-2", "1"))
        self.assertEqual(attributes["SenderId"], "pawl")
        self.assertLess(abs(int(attributes["SentTimestamp"]) / 1000 - time.time()), 60)
        self.assertGreaterEqual(int(attributes["ApproximateFirstReceiveTimestamp"]), int(attributes["SentTimestamp"]))

    def test_only_the_attributes_that_are_asked_for(self):
        url = self.create(VisibilityTimeout=0)
        value = {"DataType": "String", "StringValue": "v"}
        client().send_message(QueueUrl=url, MessageBody="x", MessageAttributes={"a.one": value, "a.two": value, "b": value})
        self.assertNotIn("MessageAttributes", self.receive(url)[0])
        self.assertNotIn("Attributes", self.receive(url)[0])
        self.assertEqual(set(self.receive(url, MessageAttributeNames=["a.*"])[0]["MessageAttributes"]), {"a.one", "a.two"})
        self.assertEqual(set(self.receive(url, MessageAttributeNames=["b"])[0]["MessageAttributes"]), {"b"})
        self.assertEqual(set(self.receive(url, AttributeNames=["SenderId"])[0]["Attributes"]), {"SenderId"})

    def test_visibility(self):
        sqs, url = client(), self.create(VisibilityTimeout=2)
        sqs.send_message(QueueUrl=url, MessageBody="x")
        [hidden] = self.receive(url, VisibilityTimeout=600)
        self.assertEqual(self.receive(url), [])
        self.assertEqual(self.counts(url), (0, 1, 0))
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=hidden["ReceiptHandle"], VisibilityTimeout=0)
        started = time.monotonic()
        [first] = self.receive(url)
        [second] = self.receive(url, WaitTimeSeconds=20, AttributeNames=["All"], VisibilityTimeout=600)
        self.assertGreaterEqual(time.monotonic() - started, 2)
        self.assertEqual(second["Attributes"]["ApproximateReceiveCount"], "3")
        self.assertNotEqual(first["ReceiptHandle"], second["ReceiptHandle"])
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)
        self.refused("AWS.SimpleQueueService.MessageNotInflight", sqs.change_message_visibility, QueueUrl=url,
                     ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)
        self.refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url,
                     ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=43201)
        [third] = self.receive(url, VisibilityTimeout=600)
        self.refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url,
                     ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)  # an older receipt
        self.assertEqual(self.counts(url), (0, 1, 0))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=third["ReceiptHandle"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=third["ReceiptHandle"])
        self.assertEqual(self.counts(url), (0, 0, 0))
        self.refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")
        self.refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=self.create(), ReceiptHandle=third["ReceiptHandle"])

    def test_delay(self):
        url = self.create(DelaySeconds=5)
        sqs = client()
        sqs.send_message(QueueUrl=url, MessageBody="now", DelaySeconds=0)
        started = time.monotonic()
        sqs.send_message(QueueUrl=url, MessageBody="late")
        now = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual([m["Body"] for m in now], ["now"])
        self.assertEqual([m["Body"] for m in self.receive(url, WaitTimeSeconds=20)], ["late"])
        self.assertGreaterEqual(time.monotonic() - started, 5)
        self.refused("InvalidParameterValue", client().send_message, QueueUrl=url, MessageBody="x", DelaySeconds=901)

    def test_dead_letters(self):
        sqs, dead = client(), self.create()
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        url = self.create(RedrivePolicy=policy, VisibilityTimeout=0)
        kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        self.assertEqual(json.loads(kept), json.loads(policy))
        sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
        for _ in range(2):
            self.assertEqual(len(self.receive(url)), 1)
        self.assertEqual(self.receive(url), [])
        [letter] = self.receive(dead, WaitTimeSeconds=5, AttributeNames=["All"])
        self.assertEqual((letter["MessageId"], letter["Body"]), (sent["MessageId"], "poison"))
        self.assertTrue(letter["Attributes"]["DeadLetterQueueSourceArn"].endswith(url.rsplit("/", 1)[1]))
        self.assertEqual(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])
        for wrong in ('{"maxReceiveCount":1}', json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 0}), "[]",
                      json.dumps({"deadLetterTargetArn": arn + "x", "maxReceiveCount": 1})):
            self.refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": wrong})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
        self.assertNotIn("Attributes", sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]))

    def test_sizes_and_characters(self):
        sqs, url = client(), self.create()
        whole = "x" * 262_144
        sqs.send_message(QueueUrl=url, MessageBody=whole)
        self.assertEqual(self.receive(url)[0]["Body"], whole)
        self.refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody=whole + "x")
        self.refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody=whole,
                     MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
        for bad in ("\x00", "\x1f", "\ufffe", "\uffff"):
            self.refused("InvalidMessageContents", sqs.send_message, QueueUrl=url, MessageBody=bad)
        self.refused("MissingParameter", sqs.send_message, QueueUrl=url, MessageBody="")
        for name, value in (("AWS.x", "v"), ("a..b", "v"), ("a b", "v"), ("a", "")):
            self.refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x",
                         MessageAttributes={name: {"DataType": "String", "StringValue": value}})
        many = {f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)}
        self.refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes=many)

    def test_batches(self):
        sqs, url = client(), self.create()
        sent = sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(n), "MessageBody": "\x01" if n == 3 else str(n),
             "MessageAttributes": {"n": {"DataType": "Number", "StringValue": str(n)}}} for n in range(10)])
        self.assertEqual([one["Id"] for one in sent["Successful"]], [str(n) for n in range(10) if n != 3])
        self.assertEqual([(one["Id"], one["Code"], one["SenderFault"]) for one in sent["Failed"]],
                         [("3", "InvalidMessageContents", True)])
        got = self.receive(url, MessageAttributeNames=["All"])
        self.assertEqual(sorted(m["MessageAttributes"]["n"]["StringValue"] for m in got), [str(n) for n in range(10) if n != 3])
        changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
            {"Id": "good", "ReceiptHandle": got[0]["ReceiptHandle"], "VisibilityTimeout": 60},
            {"Id": "bad", "ReceiptHandle": "nonsense", "VisibilityTimeout": 60}])
        self.assertEqual([one["Id"] for one in changed["Successful"]], ["good"])
        self.assertEqual([one["Code"] for one in changed["Failed"]], ["ReceiptHandleIsInvalid"])
        gone = sqs.delete_message_batch(QueueUrl=url, Entries=[
            {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(got)])
        self.assertEqual(len(gone["Successful"]), 9)
        self.assertEqual(self.counts(url), (0, 0, 0))
        prefix = "AWS.SimpleQueueService."
        entry = {"Id": "a", "MessageBody": "x"}
        self.refused(prefix + "EmptyBatchRequest", sqs.send_message_batch, QueueUrl=url, Entries=[])
        self.refused(prefix + "BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=url, Entries=[entry, entry])
        self.refused(prefix + "TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=url,
                     Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(11)])
        self.refused(prefix + "InvalidBatchEntryId", sqs.send_message_batch, QueueUrl=url, Entries=[{**entry, "Id": "a b"}])
        self.refused(prefix + "BatchRequestTooLong", sqs.send_message_batch, QueueUrl=url,
                     Entries=[{"Id": i, "MessageBody": "x" * 200_000} for i in "ab"])

    def test_receives_with_wrong_numbers(self):
        url = self.create()
        for more in ({"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}, {"WaitTimeSeconds": -1},
                     {"VisibilityTimeout": 43201}):
            self.refused("InvalidParameterValue", client().receive_message, QueueUrl=url, **more)
        self.refused("InvalidAddress", client().receive_message, QueueUrl=suite.current().url + "/1/x")


class Waiting(Case):
    def test_an_empty_long_poll_takes_its_time_and_no_more(self):
        url = self.create(ReceiveMessageWaitTimeSeconds=1)
        started = time.monotonic()
        self.assertEqual(self.receive(url), [])
        self.assertGreaterEqual(time.monotonic() - started, 1)
        self.assertEqual(self.receive(url, WaitTimeSeconds=0), [])
        self.assertLess(time.monotonic() - started, 18, "the longest poll has twenty")

    def test_many_wait_and_each_message_reaches_one(self):
        sqs, url, bodies, lock = client(config=Config(max_pool_connections=40)), self.create(), [], threading.Lock()

        def wait():
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", []):
                with lock:
                    bodies.append(message["Body"])

        threads = [threading.Thread(target=wait) for _ in range(30)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        started = time.monotonic()
        for n in range(30):
            sqs.send_message(QueueUrl=url, MessageBody=str(n))
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(bodies, key=int), [str(n) for n in range(30)])
        self.assertLess(time.monotonic() - started, 18, "they were woken: no poll ran out")

    def test_the_resource_as_a_worker_uses_it(self):
        queue = boto3.resource("sqs", endpoint_url=suite.current().url).Queue(self.create())
        queue.send_messages(Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)])
        done = []
        while messages := queue.receive_messages(MaxNumberOfMessages=4):
            for message in messages:
                done.append(message.body)
                message.delete()
        self.assertEqual(sorted(done, key=int), [str(n) for n in range(10)])
