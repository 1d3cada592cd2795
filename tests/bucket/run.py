#!/usr/bin/python3
"""S3, as clients speak it: boto3, the aws command line, SDK v3, s3cmd, rclone, and bytes that no client sends."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_archive
import test_crash
import test_javascript
import test_objects
import test_raw
import test_signed_chunks
import test_supervised
import test_tools
import test_uploads
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_objects, test_uploads, test_raw, test_signed_chunks, test_archive, test_tools, test_javascript, test_crash, test_supervised], description=__doc__))
