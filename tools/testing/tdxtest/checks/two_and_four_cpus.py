# SPDX-License-Identifier: GPL-2.0-only
"""The suite passes with each number of CPUs."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.checks.two_cpus import still_skipped
from tdxtest.guest import runs
from tdxtest.guest.stages import Built

NAME = 'two and four CPUs'
WHEN = When.LONG
# Of the guests that run the whole suite.
WHOLE = (2, 4)


def check(built: Built) -> Iterator[str]:
    for cpus in built.progress.each('cpus', WHOLE):
        done = runs.run_tests(built.with_boot(cpus=cpus), built.suite.select([]))
        built.progress.say(f'check: {cpus} CPUs: {done.verdict.summary}')
        yield from (f'{cpus} CPUs: {problem}' for problem in done.verdict.wrong())
        yield from still_skipped(done.results, cpus)
