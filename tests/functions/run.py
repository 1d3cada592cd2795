#!/usr/bin/python3
"""Functions as users of AWS Lambda have them: Python and Node.js handlers that know no endpoint, an executable that speaks the
runtime API, boto3, the aws command line, `pawl exec` and `pawl logs`; handlers that fail in every way; a server that is killed."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_api
import test_clients
import test_handlers
import test_hostile
import test_kills
import test_logs
import test_node
import test_runtime
import test_status
from blackbox import suite

CONFIG = "[functions]\nprocesses = 3\n"

if __name__ == "__main__":
    sys.exit(suite.main([test_api, test_handlers, test_runtime, test_logs, test_clients, test_node, test_hostile, test_status, test_kills], config=CONFIG, description=__doc__))
