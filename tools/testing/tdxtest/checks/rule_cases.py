# SPDX-License-Identifier: GPL-2.0-only
"""Each rule of rules/ has cases in the built suite."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.tree.suite import Suite
from tdxtest.verdict import rules

NAME = 'rules'
WHEN = When.SUITE


def check(suite: Suite) -> Iterator[str]:
    yield from rules.check(suite)
