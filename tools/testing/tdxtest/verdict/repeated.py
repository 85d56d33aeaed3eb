# SPDX-License-Identifier: GPL-2.0-only
"""What became of tests that ran several times: how often each passed, and when it did not."""

import collections
import dataclasses
import typing
from collections.abc import Iterable, Iterator, Sequence

from tdxtest.verdict import judging, ktap
from tdxtest.verdict.repetitions import spans

# The outcome that names a case is the first one that it had.
WORST_FIRST = ('fail', ktap.XFAIL, 'skip', ktap.XPASS, 'pass')
# Of how many tests that passed each time each has a line.
NAMED = 3


def of_names(guests: Sequence[judging.Judged]) -> dict[str, dict[int, list[ktap.Test]]]:
    """{test: {repetition: the parts of it that guests ran}}, of all that they had to run."""
    found: dict[str, dict[int, list[ktap.Test]]] = {
        name: {} for _, _, wanted in guests for name in wanted}
    for guest in guests:
        for number, test in judging.numbered(judging.tests_of(*guest)):
            if number:
                found.setdefault(test.result.name, {}).setdefault(number, []).append(test)
    return found


def notes(guests: Sequence[judging.Judged], times: int) -> Iterator[str]:
    """Lines that say how often each test passed, and which case was not the same each time.

    guests: as judging.judge_all() takes them; times: how often each test had to run.
    """
    if times == 1:
        return
    tests = of_names(guests)
    shares = collections.Counter(name for _, _, wanted in guests for name in wanted)
    good = []
    for name, parts in tests.items():
        failed = [number for number, same in parts.items()
                  if not all(test.result.ok for test in same)]
        whole = {number for number, same in parts.items() if len(same) >= shares[name]}
        missing = set(range(1, times + 1)) - whole - set(failed)
        passed = times - len(failed) - len(missing)
        if passed == times:
            good.append(name)
            continue
        yield (f'{name}: passed {passed} of {times}'
               + (f', failed in repetition {spans(failed)}' if failed else '')
               + (f', did not come to {spans(missing)}' if missing else ''))
    if len(good) <= NAMED:
        yield from (f'{name}: passed {times} of {times}' for name in good)
    else:
        yield f'{len(good)} test(s) passed {times} of {times}'
    for name, parts in tests.items():
        yield from unsteady(name, ((number, case) for number, same in parts.items()
                                   for test in same for case in test.cases))


def by_outcome(found: Iterable[tuple[int, ktap.Case]]) -> dict[str, list[int]]:
    """{outcome: the repetitions that had it} of [(repetition, case)], the worst first."""
    seen: dict[str, list[int]] = {}
    for number, case in found:
        seen.setdefault(case.outcome(), []).append(number)
    return {outcome: seen[outcome] for outcome in WORST_FIRST if outcome in seen}


def unsteady(test: str, found: Iterable[tuple[int, ktap.Case]]) -> Iterator[str]:
    """A line for each case that was, for instance, skipped in some repetitions only.

    A failed case is a problem that names its repetitions already.
    """
    of_case: dict[str, list[tuple[int, ktap.Case]]] = {}
    for number, case in found:
        of_case.setdefault(case.name, []).append((number, case))
    for name, same in of_case.items():
        seen = by_outcome(same)
        if len(seen) > 1 and 'fail' not in seen:
            yield f'{test}:{name}: not the same each time: ' + ', '.join(
                f'{outcome} in {spans(which)}' for outcome, which in seen.items())


def case_rows(tests: Sequence[ktap.Test], times: int) -> list[dict[str, typing.Any]]:
    """A row of results for each case of a test, with the worst outcome that it had.

    tests: what guests told of the test, those of a guest in their order.
    """
    of_case: dict[str, list[ktap.Case]] = {}
    for test in tests:
        for case in test.cases:
            of_case.setdefault(case.name, []).append(case)
    return [case_row(list(enumerate(same, 1)), times) for same in of_case.values()]


def case_row(found: Sequence[tuple[int, ktap.Case]], times: int) -> dict[str, typing.Any]:
    """One case that ran several times, [(repetition, case)], as a row of results."""
    seen = by_outcome(found)
    worst = next(iter(seen))
    case = next(case for _, case in found if case.outcome() == worst)
    row = dataclasses.asdict(case)
    if worst == 'fail':
        row['note'] = (f'repetition {spans(seen[worst])} of {times}'
                       + (f': {case.note}' if case.note else ''))
    known = [case.seconds for _, case in found if case.seconds is not None]
    row['seconds'] = sum(known) if known else None
    row['repetitions'] = {outcome: len(which) for outcome, which in seen.items()}
    return row
