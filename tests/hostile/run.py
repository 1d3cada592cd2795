#!/usr/bin/python3
"""Bad input: each gets a clear error, the server lives on, nothing is lost, the archive verifies."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_bodies
import test_directories
import test_http
import test_keys
from blackbox import suite

CONFIG = """
[tables.plain]
names = "{hashid}"
[tables.counted]
names = "logs/{hashid}-{_version}.log"
[tables.nested]
names = "{hashid}/log"
"""

if __name__ == "__main__":
    sys.exit(suite.main([test_http, test_bodies, test_keys, test_directories], config=CONFIG, description=__doc__))
