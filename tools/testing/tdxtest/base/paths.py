# SPDX-License-Identifier: GPL-2.0-only
"""Where the parts of the project lie."""

import os

# The package.
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.normpath(os.path.join(HERE, '../../..'))
# What a person, or another run of this tool, starts.
TOOL = os.path.join(HERE, 'tdxtest.py')

# A page for each bug of KVM that the suite found.
FINDINGS = os.path.join(PROJECT, 'findings')
CI = os.path.join(HERE, 'ci')
CONFIGS = os.path.join(HERE, 'configs')
# C that runs in the guest: its init, and programs and a module beside it.
GUEST_SOURCES = os.path.join(HERE, 'guest_src')
RULES = os.path.join(HERE, 'rules')
TABLES = os.path.join(HERE, 'tables')
TEST_DATA = os.path.join(HERE, 'tests', 'test_data')
# Patches that make kernel trees which have moved on.
TREES = os.path.join(HERE, 'tests', 'trees')
# What the kernel says when it warns: for the guest's init and for the verdict.
WARNINGS = os.path.join(TABLES, 'kernel-warnings.list')
