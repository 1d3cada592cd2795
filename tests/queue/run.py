#!/usr/bin/python3
"""Queues as users of Amazon SQS have them: boto3 and the aws command line (the query protocol), the AWS SDK for JavaScript and
requests by hand (the JSON protocol); a server that is stopped and killed in the middle."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_aws_cli
import test_boto3
import test_javascript
import test_kills
import test_status
import test_wire
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_boto3, test_aws_cli, test_javascript, test_wire, test_status, test_kills], description=__doc__))
