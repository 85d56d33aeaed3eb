# SPDX-License-Identifier: GPL-2.0-only
"""A TD with QEMU, its firmware and a distribution's kernel starts, and ends in each way."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest import runs
from tdxtest.guest.stages import Built
from tdxtest.tree import td_tests

NAME = 'TD with a real VMM'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    done = runs.run_tests(built.with_boot(jobs=1), [(name, []) for name in td_tests.NAMES])
    built.progress.say(f'check: TD: {done.verdict.summary}')
    yield from done.verdict.wrong()
