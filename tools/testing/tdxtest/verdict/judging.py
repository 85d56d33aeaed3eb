# SPDX-License-Identifier: GPL-2.0-only
"""Judges guests by their consoles: what failed, what did not run, and the exit status."""

import collections
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS
from tdxtest.verdict import repetitions
from tdxtest.verdict.ktap import FRAME, XFAIL, XPASS, Case, Console, Test

# The cases of each test that a guest must run; no case stands for all of them.
Wanted = Mapping[str, Sequence[str]]
# A console, why its guest was ended ('' or None: it powered off), and what it must run.
Judged = tuple[Console, str | None, Wanted]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Exit status, one line that says it, a line for each thing wrong or worth knowing."""

    status: int
    summary: str
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def wrong(self) -> tuple[str, ...]:
        """Lines for a check: the problems, or what there is without any; none if it passed."""
        return self.problems or ((self.summary,) if self.status else ())


def judge(console: Console, ended: str | None = '', wants_tests: bool = True) -> Verdict:
    """The Verdict on a console.

    ended: why the machine was stopped, '' if the guest powered off.
    wants_tests: a boot in which no test passed is no pass.
    """
    return judge_all([(console, ended, {})], wants_tests)


def judge_all(guests: Sequence[Judged], wants_tests: bool = True, strict: bool = False,
              times: int = 1) -> Verdict:
    """The one Verdict on guests that shared the tests.

    guests: [(console, ended, {test: case ids that it must run})], no ids for
    all of them. The worst guest decides; a problem says in which one it was.
    strict: a case that was expected to fail and passed is a problem; times: how often each
    test had to run.
    """
    problems, not_run, refused = [], [], []
    for number, (console, ended, wanted) in enumerate(guests, 1):
        who = f'guest {number}: ' if len(guests) > 1 else ''
        why = not_run_why(console, ended)
        not_run += [who + why] if why else []
        problems += [who + p for p in (console_problems(console, ended, wanted, times)
                                       if booted(console) else console.warnings)]
        refused += [f'{who}{line}' for line in refusals(console, times)]
    if not_run:
        return Verdict(EXIT_NOT_RUN, '; '.join(not_run), tuple(problems))

    tests = [t for guest in guests for t in tests_of(*guest) if t.result.name not in FRAME]
    count = collections.Counter(case.outcome() for case in cases_of(tests))
    notes = no_longer(tests)
    if strict:
        problems, notes = problems + notes, []
    if count['pass'] or count[XFAIL] or count[XPASS]:
        # A program skips as a whole if there is no TDX. Others ran, so there is.
        problems += refused
    elif wants_tests and not problems:
        reasons = sorted({t.skip_reason for t in tests if t.skip_reason})
        problems.append('no test ran' + (f': all {count["skip"]} were skipped'
                                         if count['skip'] else '')
                        + ''.join(f': {reason}' for reason in reasons))
    counts = f'{count["pass"]} passed, {count["fail"]} failed, {count["skip"]} skipped'
    counts += ''.join(f', {count[word]} {word}' for word in (XFAIL, XPASS) if count[word])
    if any(console.unwatched for console, _, _ in guests):
        counts += ', kernel log not watched'
    if problems:
        return Verdict(EXIT_FAIL, f'FAIL: {counts}, {len(problems)} problem(s)',
                       tuple(problems), tuple(notes))
    return Verdict(EXIT_PASS, f'PASS: {counts}', (), tuple(notes))


def refusals(console: Console, times: int) -> list[str]:
    """A line for each test that skipped itself as a whole."""
    return repetitions.told([(number, f'{test.result.name}: skipped as a whole: '
                              f'{test.skip_reason or "it gave no reason"}')
                             for number, test in numbered(console.tests) if test.result.skip],
                            times)


def no_longer(tests: Iterable[Test]) -> list[str]:
    """A line for each case that was expected to fail, and passed."""
    return list(dict.fromkeys(
        f'finding {case.finding()} no longer reproduces: {test.result.name}:{case.name}'
        for test in tests for case in test.cases if case.outcome() == XPASS))


def booted(console: Console) -> bool:
    """A guest came to its tests."""
    return console.started and console.planned is not None and not console.bailed


def not_run_why(console: Console, ended: str | None) -> str:
    """Why a guest shows nothing of what it was to test, '' if it does."""
    if booted(console):
        return (ended or '') if console.machine_died else ''
    return 'did not boot: ' + (
        console.panic or (console.bailed and f'init gave up: {console.bailed}')
        or ended or 'the machine ended before the first test')


def ended_early(console: Console) -> bool:
    """A guest that booted did not come to the end of its plan."""
    return len(console.tests) < (console.planned or 0) or not console.powered_off


def tests_of(console: Console, ended: str | None, wanted: Wanted) -> list[Test]:
    """The tests of a guest, with the one that was open when it ended.

    wanted: {test: case ids} in their order. It gives the open test its name, since the console
    names a test only at its end.
    """
    cases = console.open.cases
    if not cases or not booted(console) or not ended_early(console):
        return console.tests
    done = {test.result.name for test in console.tests}
    name = next((name for name, ids in wanted.items()
                 if cases[0].name in ids or not ids and name not in done), '')
    # All have run by now, if each runs several times: it is the one that had the case before.
    name = name or next((test.result.name for test in console.tests
                         if cases[0].name in (case.name for case in test.cases)),
                        'a test without a name')
    note = f'did not end: {console.panic or ended or "the machine ended"}'
    return [*console.tests, Test(Case(name, False, False, note), cases)]


def numbered(tests: Sequence[Test]) -> list[tuple[int, Test]]:
    """[(repetition, test)] of a guest's tests, 0 for a step of init."""
    found = repetitions.numbers(test.result.name for test in tests)
    return [(0 if test.result.name in FRAME else number, test)
            for number, test in zip(found, tests)]


def console_problems(console: Console, ended: str | None, wanted: Wanted,
                     times: int = 1) -> list[str]:
    """A line for each thing that is wrong with a guest that booted."""
    problems = [f'boot: the kernel warned: {w}' for w in console.warnings]
    problems += repetitions.told([(number, problem) for number, test
                                  in numbered(tests_of(console, ended, wanted))
                                  for problem in test_problems(test)], times)
    done = len(console.tests)
    if ended_early(console):
        why = console.panic or ended or 'the machine ended'
        problems.append(f'{why}, {console.running()}: '
                        f'{done} of {console.planned} results')
    elif done > (console.planned or 0):
        problems.append(f'{done} results, planned were {console.planned}')
    else:
        problems += missing(console, wanted)
    return problems


def missing(console: Console, wanted: Wanted) -> Iterator[str]:
    """A line for each test or case that a guest had to run and left out."""
    for name, cases in wanted.items():
        tests = [test for test in console.tests if test.result.name == name]
        if not tests:
            yield f'{name}: was not run'
        left = {case for test in tests if test.result.ok and not test.result.skip
                for case in set(cases) - {c.name for c in test.cases}}
        yield from (f'{name}: was not run: {case}' for case in sorted(left))


def cases_of(tests: Iterable[Test]) -> list[Case]:
    """The cases of all tests.

    A test without cases of its own counts as one, in however many guests it ran.
    """
    parts: dict[str, list[Test]] = {}
    for test in tests:
        parts.setdefault(test.result.name, []).append(test)
    cases = []
    for same in parts.values():
        cases += ([c for t in same for c in t.cases] or
                  [min((t.result for t in same), key=lambda r: (r.ok, not r.skip))])
    return cases


def test_problems(test: Test) -> list[str]:
    """A line for each thing that is wrong with one test."""
    name = test.result.name
    problems = [f'{name}: not ok: {c.name}' + (f' ({c.note})' if c.note else '')
                for c in test.failed()]
    if not test.result.ok and not problems:
        note = f': {test.result.note}' if test.result.note else ''
        problems.append(f'{name}: not ok{note}')
    elif test.result.ok and problems:
        problems.append(f'{name}: reports ok with failed cases in it')
    results = collections.Counter(case.name for case in test.cases)
    problems += [f'{name}: {count} results of {case}' for case, count in results.items()
                 if count > 1]
    if name in FRAME or test.result.skip:
        return problems
    if test.planned is None:
        # The harness prints the plan of each program. A crash is a problem already.
        problems += [f'{name}: printed no plan'] if test.result.ok else []
    elif test.planned == 0:
        problems.append(f'{name}: no test ran: no case was chosen')
    elif test.planned != len(test.cases):
        problems.append(f'{name}: {len(test.cases)} of {test.planned} planned cases reported')
    return problems
