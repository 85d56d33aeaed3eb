# SPDX-License-Identifier: GPL-2.0-only
"""ktap.py and KUnit's parser agree on the consoles of a run."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest.runs import GuestRun
from tdxtest.verdict import judging, kunit
from tdxtest.verdict.second_opinion import compare, read

NAME = "the run, by KUnit's parser too"
WHEN = When.RUN


def check(done: GuestRun) -> Iterator[str]:
    modules = kunit.parser_of(done.built.work.tree)
    for guest in done.guests:
        console, _ = read(guest.console_path)
        # One that failed has its verdict already.
        if judging.judge(console).status == EXIT_PASS:
            yield from compare(modules, guest.console_path)
