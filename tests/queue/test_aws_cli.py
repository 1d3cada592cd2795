"""The aws command line, as a person types it."""

import json
import os
import subprocess

from blackbox import suite
from shared import Case, fresh

AWS = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else "aws"


class AwsCommandLine(Case):
    def run_aws(self, *arguments):
        return subprocess.run([AWS, "--endpoint-url", suite.current().url, "--output", "json", "sqs", *arguments],
                              capture_output=True, text=True, timeout=300, check=False)

    def good(self, *arguments):
        done = self.run_aws(*arguments)
        self.assertEqual(done.returncode, 0, f"aws sqs {' '.join(arguments)}:\n{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_a_queue_from_first_to_last(self):
        name = fresh("cli")
        url = self.good("create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=60")["QueueUrl"]
        self.assertIn(url, self.good("list-queues", "--queue-name-prefix", "cli-")["QueueUrls"])
        sent = self.good("send-message", "--queue-url", url, "--message-body", "hello",
                         "--message-attributes", '{"n":{"DataType":"Number","StringValue":"1"}}')
        [message] = self.good("receive-message", "--queue-url", url, "--message-attribute-names", "All",
                              "--attribute-names", "All", "--wait-time-seconds", "1")["Messages"]
        self.assertEqual((message["MessageId"], message["Body"]), (sent["MessageId"], "hello"))
        self.good("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
        counted = self.good("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
        self.assertEqual(counted["ApproximateNumberOfMessagesNotVisible"], "0")
        self.good("delete-queue", "--queue-url", url)
        late = self.run_aws("get-queue-url", "--queue-name", name)
        self.assertNotEqual(late.returncode, 0)
        self.assertIn("NonExistentQueue", late.stderr)
