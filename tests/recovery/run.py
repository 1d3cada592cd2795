#!/usr/bin/python3
"""What the archive is for: versions kept over deletion and re-creation, an older data directory noticed,
tables rebuilt, damage found, an archive that stands still for a while."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_blocked
import test_damage
import test_older_copy
import test_restore
import test_versions
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_versions, test_older_copy, test_restore, test_damage, test_blocked], description=__doc__, shared=False))
