# SPDX-License-Identifier: GPL-2.0-only
"""Cases that need two CPUs pass with two."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest import runs, shards
from tdxtest.guest.runs import GuestRun
from tdxtest.verdict import judging
from tdxtest.verdict.results import Results

NAME = 'two CPUs'
WHEN = When.RUN
AFTER = 'run_consoles'
# Why such a case skips itself: TDX_TWO_CPUS_REASON of the suite.
TOO_FEW = 'SKIP needs two CPUs'
CPUS = 2


def skipped(run: Results) -> dict[str, list[str]]:
    """{test: cases} of a results.collect() that skipped themselves since they need more CPUs."""
    wanted: dict[str, list[str]] = {}
    for test in run['tests']:
        for case in test['cases']:
            if case['note'] == TOO_FEW:
                wanted.setdefault(test['name'], []).append(case['name'])
    return wanted


def still_skipped(run: Results, cpus: int = CPUS) -> Iterator[str]:
    for test, cases in skipped(run).items():
        for case in cases:
            yield f'{test}: {case}: skipped itself with {cpus} CPUs as well'


def check(done: GuestRun) -> Iterator[str]:
    """Boot with two CPUs the cases that a run skipped since they need two."""
    if done.built.request.boot.cpus > 1:
        return
    wanted = skipped(done.results)
    if not wanted:
        yield f'no case of the suite was skipped with "{TOO_FEW}"'
        return

    tests = [(name, [word for case in sorted(cases) for word in ('-r', case)])
             for name, cases in sorted(wanted.items())]
    guest, = runs.boot_guests(done.built.with_boot(cpus=CPUS), [tests])
    chosen = {name: shards.chosen(words) for name, words in tests}
    verdict = judging.judge_all([(guest.console, guest.ended, chosen)])
    done.built.progress.say(f'check: {CPUS} CPUs: {verdict.summary}')
    yield from verdict.wrong()
    for test in guest.console.tests:
        yield from still_skipped({'tests': [{'name': test.result.name, 'cases': [
            {'name': case.name, 'note': case.note} for case in test.cases]}]})
