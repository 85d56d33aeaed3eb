# SPDX-License-Identifier: GPL-2.0-only
"""Each pattern of a mutant matches a case of the built suite."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.tree.suite import Suite
from tdxtest.verdict import mutants

NAME = 'cases of mutants'
WHEN = When.SUITE


def check(suite: Suite) -> Iterator[str]:
    yield from mutants.check_suite(suite)
