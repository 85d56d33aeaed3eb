# SPDX-License-Identifier: GPL-2.0-only
"""Each rule of rules/ has cases in the built suite."""

from tdxtest.base.checking import When
from tdxtest.verdict import rules

NAME = 'rules'
WHEN = When.SUITE


def check(suite):
    yield from rules.check(suite)
