#!/usr/bin/python3
"""boto3, the aws command line and the AWS SDK for JavaScript, given only an endpoint URL."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_aws_cli
import test_boto3
import test_insert_only
import test_javascript
import test_retries
import test_streams
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_boto3, test_aws_cli, test_javascript, test_retries, test_insert_only, test_streams], description=__doc__))
