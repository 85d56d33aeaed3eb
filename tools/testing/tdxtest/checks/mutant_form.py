# SPDX-License-Identifier: GPL-2.0-only
"""Each file of mutants/ is a mutant."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.verdict import mutants

NAME = 'mutants'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    yield from mutants.check_form()
