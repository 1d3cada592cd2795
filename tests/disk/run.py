#!/usr/bin/python3
"""A full disk: writes refused with a clear error, reads go on, nothing is lost, service again when there is room."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "recovery")]

import test_full_disk
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_full_disk], description=__doc__, shared=False))
