#!/usr/bin/python3
"""The designs in examples/ as a reader runs them: the commands of their READMEs, one after the other, under both profiles; then
every version is looked for, and the server of the usual design is killed in the middle."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_designs
import test_kills
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_designs, test_kills], shared=False, threads=4, description=__doc__))
