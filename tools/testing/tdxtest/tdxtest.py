#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Starts the package around it: tdxtest.py COMMAND is python3 -m tdxtest COMMAND."""

import os
import sys

sys.dont_write_bytecode = True
# The folder of this file, whose modules the package has under longer names.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from tdxtest.program import run_program  # pylint: disable=wrong-import-position

if __name__ == '__main__':
    sys.exit(run_program(sys.argv[1:]))
