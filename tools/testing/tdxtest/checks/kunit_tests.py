# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's KUnit tests pass, all of them."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.commands import kunit
from tdxtest.guest.stages import Built

NAME = 'KUnit tests'
WHEN = When.BOOT


def check(built: Built) -> Iterator[str]:
    wrong, summary, text = kunit.boot_tests(built)
    built.progress.line(summary)
    yield from text.splitlines() if wrong else ()
    yield from wrong
