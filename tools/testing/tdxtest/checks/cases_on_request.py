# SPDX-License-Identifier: GPL-2.0-only
"""What a plain run skips passes where it is asked for."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.paths import TOOL
from tdxtest.checks.skip_reasons import REQUESTS, skipped
from tdxtest.guest.stages import Built
from tdxtest.tree import suite
from tdxtest.verdict import results
from tdxtest.verdict.results import Results

NAME = 'cases on request'
WHEN = When.LONG
# Of a run the log has all, a line for a person so many tests.
MOST_NAMED = 3


def told(words: Sequence[str]) -> str:
    """What words of the command say, with the number of the tests if they are many."""
    known = suite.names()
    tests = [word for word in words if word.partition(':')[0] in known]
    named = tests
    if len(tests) > MOST_NAMED:
        unit = 'case(s)' if all(':' in word for word in tests) else 'test(s)'
        named = [f'{len(tests)} {unit}']
    return ' '.join([*(word for word in words if word not in tests), *named]) or 'the whole suite'


def run_suite(built: Built, *words: str) -> Results:
    """Run tdxtest.py run with these words; gives the results.collect() of it.

    What it prints is in logs/run-suite.log, whose last line tells how far it is. Failure
    if it ends without results.
    """
    argv = [sys.executable, TOOL, 'run', '--build', built.build.root, *words]
    log, path = built.build.log('run-suite'), built.build.path(results.LAST)
    before = changed(path)
    with built.build.unlocked(), built.progress.step(
            'run', told(words), lambda: command.last_line(log)):
        try:
            command.run(argv, log)
        except Failure:
            # A case that failed is a result like any other.
            if changed(path) == before:
                raise
    return results.load(path)[-1]


def changed(path: str) -> int:
    """When a file was written, in ns; 0 if it is not there."""
    return os.stat(path).st_mtime_ns if os.path.exists(path) else 0


def wrong(cases: Iterable[str], run: Results) -> Iterator[str]:
    """A line for each of the cases that did not pass in the run, and for its problems."""
    got = {f'{test["name"]}:{case["name"]}': case
           for test in run['tests'] for case in test['cases']}
    for name in cases:
        row = got.get(name)
        if row is None:
            yield f'{name}: was not run'
        elif results.outcome(row) in ('fail', 'skip'):
            yield f'{name}: {results.outcome(row)}: {row["note"]}'
    yield from run['problems']


def unskipped(found: Collection[str]) -> Iterator[str]:
    """A line for each reason that no case has any more; found: of skipped()."""
    for reason, request in REQUESTS.items():
        if reason not in found and not (request and request.older):
            yield f'no case of the suite was skipped with "{reason}"'


def check(built: Built) -> Iterator[str]:
    found = skipped(run_suite(built))
    yield from unskipped(found)
    for reason in built.progress.each('requests', [r for r in REQUESTS if r in found]):
        request = REQUESTS[reason]
        if request:
            run = run_suite(built, *request.options, *found[reason])
            yield from wrong(found[reason], run)
