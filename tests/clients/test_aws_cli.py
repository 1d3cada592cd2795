"""The aws command line, as a person types it."""

import json
import os
import subprocess
import unittest

from blackbox import suite
from test_boto3 import fresh

AWS = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else "aws"


def aws(*arguments):
    return subprocess.run([AWS, "--endpoint-url", suite.current().url, "--output", "json", "dynamodb", *arguments],
                          capture_output=True, text=True, timeout=300, check=False)


class AwsCommandLine(unittest.TestCase):
    def good(self, *arguments):
        done = aws(*arguments)
        self.assertEqual(done.returncode, 0, f"aws {' '.join(arguments)}:\n{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_the_article_s_table(self):
        name = fresh("users")
        self.good("create-table", "--table-name", name, "--key-schema", "AttributeName=hashid,KeyType=HASH",
                  "--attribute-definitions", "AttributeName=hashid,AttributeType=S", "--billing-mode", "PAY_PER_REQUEST",
                  "--stream-specification", "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES")
        self.good("wait", "table-exists", "--table-name", name)
        self.assertIn(name, self.good("list-tables")["TableNames"])
        self.good("put-item", "--table-name", name, "--item", '{"hashid":{"S":"A000001"},"_version":{"N":"0"}}')
        updated = self.good("update-item", "--table-name", name, "--key", '{"hashid":{"S":"A000001"}}',
                            "--update-expression", "ADD #v :one", "--expression-attribute-names", '{"#v":"_version"}',
                            "--expression-attribute-values", '{":one":{"N":"1"}}', "--return-values", "ALL_NEW")
        self.assertEqual(updated["Attributes"], {"hashid": {"S": "A000001"}, "_version": {"N": "1"}})
        got = self.good("get-item", "--table-name", name, "--key", '{"hashid":{"S":"A000001"}}', "--consistent-read")
        self.assertEqual(got["Item"]["_version"], {"N": "1"})
        self.assertEqual(self.good("scan", "--table-name", name, "--page-size", "1")["Count"], 1)
        found = self.good("query", "--table-name", name, "--key-condition-expression", "hashid = :h",
                          "--expression-attribute-values", '{":h":{"S":"A000001"}}')
        self.assertEqual(found["Count"], 1)
        refused = aws("put-item", "--table-name", name, "--item", '{"hashid":{"S":"A000001"}}',
                      "--condition-expression", "attribute_not_exists(hashid)")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("ConditionalCheckFailedException", refused.stderr)
        self.good("delete-item", "--table-name", name, "--key", '{"hashid":{"S":"A000001"}}')
        self.good("delete-table", "--table-name", name)
        self.good("wait", "table-not-exists", "--table-name", name)
        self.assertIn("ResourceNotFoundException", aws("describe-table", "--table-name", name).stderr)
