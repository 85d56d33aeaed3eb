# SPDX-License-Identifier: GPL-2.0-only
"""Each file of mutants/ is a mutant."""

from tdxtest.base.checking import When
from tdxtest.verdict import mutants

NAME = 'mutants'
WHEN = When.STATIC


def check(_progress):
    yield from mutants.check_form()
