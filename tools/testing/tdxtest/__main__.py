# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m tdxtest, with the folder above the package as the current one."""

import sys

from tdxtest.program import run_program

sys.exit(run_program(sys.argv[1:]))
