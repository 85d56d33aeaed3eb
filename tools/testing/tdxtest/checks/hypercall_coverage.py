# SPDX-License-Identifier: GPL-2.0-only
"""The suite reaches nearly all of the hypercall paths, and the rest is explained."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.commands.coverage import GOALS, explain, gaps_of, measure, percent, tables
from tdxtest.guest.stages import Built

NAME = 'coverage of hypercalls'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    functions, table = tables()
    done, counters = measure(built, built.build.folder('coverage'))
    yield from done.verdict.problems
    totals, found = gaps_of(built, counters, functions)
    unexplained, stale = explain(found, table)
    yield from (f'not explained: {gap}' for gap in unexplained)
    yield from stale
    for what, reached, _, wanted in GOALS:
        got = percent(totals[reached], totals[what])
        if got < wanted:
            yield f'{what} of hypercall paths: wanted {wanted} %, got {got:.1f} %'
