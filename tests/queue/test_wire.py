"""Requests by hand: the JSON protocol as any client may send it, and who may not ask at all."""

import urllib.parse

from blackbox import suite
from blackbox.raw_http import Connection, exchange
from shared import Case, client, fresh


def call(operation, body, headers=()):
    url = urllib.parse.urlsplit(suite.current().url)
    return Connection(url.hostname, url.port).call(operation, body, headers, prefix="AmazonSQS.")


def form(body, *headers, host=None):
    url = urllib.parse.urlsplit(suite.current().url)
    lines = ["POST / HTTP/1.1", f"Host: {host or url.netloc}", "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
             f"Content-Length: {len(body)}", *headers]
    received, _ = exchange(url.hostname, url.port, ("\r\n".join(lines) + "\r\n\r\n" + body).encode())
    head, _, answer = received.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), answer.decode()


class Json(Case):
    def test_both_protocols_see_the_same_queue(self):
        name = fresh()
        made = call("CreateQueue", {"QueueName": name, "Attributes": {"VisibilityTimeout": "0"}})
        self.assertEqual(made.status, 200)
        self.assertEqual(made.headers["content-type"], "application/x-amz-json-1.0")
        url = made.json()["QueueUrl"]
        self.assertEqual(call("SendMessage", {"QueueUrl": url, "MessageBody": "x"}).status, 200)
        self.assertEqual([m["Body"] for m in self.receive(url)], ["x"])
        got = call("ReceiveMessage", {"QueueUrl": url}).json()["Messages"]
        client().delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
        self.assertEqual(call("ReceiveMessage", {"QueueUrl": url}).json(), {})

    def test_the_url_has_the_host_that_the_client_used(self):
        port = urllib.parse.urlsplit(suite.current().url).port
        status, answer = form(f"Action=CreateQueue&QueueName={fresh()}", host=f"localhost:{port}")
        self.assertEqual(status, 200)
        self.assertIn(f"<QueueUrl>http://localhost:{port}/000000000000/", answer)

    def test_errors(self):
        missing = call("GetQueueUrl", {"QueueName": fresh()})
        self.assertEqual((missing.status, missing.error_type()), (400, "QueueDoesNotExist"))
        self.assertEqual(missing.headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender")
        for operation, body, wanted in (
                ("GetQueueUrl", b"{", "SerializationException"), ("GetQueueUrl", b"[]", "SerializationException"),
                ("GetQueueUrl", b'{"QueueName":5}', "SerializationException"),
                ("GetQueueUrl", {}, "MissingRequiredParameterException"), ("Dance", {}, "UnknownOperationException"),
                ("StartMessageMoveTask", {}, "UnsupportedOperation"), ("CreateQueue", {"QueueName": ""}, "InvalidParameterValueException")):
            self.assertEqual(call(operation, body).error_type(), wanted, (operation, body))


class Forms(Case):
    def test_unsigned_forms(self):
        self.assertEqual(form("Action=ListQueues&Version=2012-11-05")[0], 200)
        for status, code, body in ((400, "InvalidAction", "Version=2012-11-05"), (400, "InvalidAction", "Action=Dance"),
                                   (400, "MalformedInput", "Action=%ZZ"), (400, "MalformedInput", "Action=x&Action=y"),
                                   (400, "MissingParameter", "Action=SendMessage&QueueUrl=http://x/000000000000/q")):
            got, answer = form(body)
            self.assertEqual(got, status, answer)
            self.assertIn(f"<Code>{code}</Code>", answer)

    def test_other_sites_pages_are_refused(self):
        action = "Action=ListQueues"
        for refused in (form(action, "Origin: http://evil.example"), form(action, "Origin: null"),
                        form(action, "Sec-Fetch-Site: cross-site"), form(action, host="evil.example:80")):
            self.assertEqual(refused[0], 403, refused[1])
            self.assertIn("<Code>AccessDenied</Code>", refused[1])
