# SPDX-License-Identifier: GPL-2.0-only
"""Each pattern of a mutant matches a case of the built suite."""

from tdxtest.base.checking import When
from tdxtest.verdict import mutants

NAME = 'cases of mutants'
WHEN = When.SUITE


def check(suite):
    yield from mutants.check_suite(suite)
