# SPDX-License-Identifier: GPL-2.0-only
"""KUnit cases get the answers that the page of leafs promises."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest.stages import Built
from tdxtest.tree import suite
from tdxtest.verdict import sim_leafs

NAME = 'answers of the module'
WHEN = When.BOOT
AFTER = 'kunit_tests'


def check(built: Built) -> Iterator[str]:
    def cases_of(test: str) -> list[str] | None:
        return built.suite.cases(test) if test in suite.names() else None

    path = built.build.path('run', built.work.source.name, 'kunit', 'console.log')
    with open(path, encoding='utf-8', errors='replace') as log:
        yield from sim_leafs.check_answers(log, cases_of)
