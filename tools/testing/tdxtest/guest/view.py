# SPDX-License-Identifier: GPL-2.0-only
"""What a person sees of a run: a line for each test program, and each failed case at once."""

import collections
import dataclasses
import re
import typing
from collections.abc import Callable, Iterable, Sequence

from tdxtest.base.progress import Progress
from tdxtest.guest import shards
from tdxtest.guest.boot import Guest
from tdxtest.guest.request import ShowRequest
from tdxtest.tree.suite import Tests
from tdxtest.verdict import ktap

# The outcomes in the order in which a line names them, with their words and colours.
OUTCOMES = {'pass': ('passed', 'green'), 'fail': ('failed', 'red'),
            ktap.XFAIL: ('expected to fail', 'yellow'), ktap.XPASS: ('fixed', 'yellow'),
            'skip': ('skipped', 'yellow')}
# Lines of a case that say nothing of why it failed.
FRAME_LINE = re.compile(r'\s*(?:#\s+(?:RUN|OK|FAIL|SKIP)\s|# (?:Starting|PASSED|FAILED|Totals)\b|'
                        r'(?:TAP|KTAP) version|1\.\.\d+|# guest \d)')
TRACED = '# trace: '
# How many lines of a failed case, and how many events, are shown.
SAID_LINES = 12
TRACE_LINES = 20
# How many of the slowest and of the failed cases the summary names.
NAMED = 3
SUMMARY_LINES = 10


@dataclasses.dataclass
class Row:
    """A test program, of which several guests may run a part."""

    parts: int
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    seconds: float = 0.0
    notes: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Feed:
    """How far the console of a guest was shown."""

    waiting: dict[str, list[str]]       # {test: its cases}, of those whose line did not come
    left: dict[str, int]                # {test: how often it must run yet}
    tests: int = 0
    cases: int = 0
    failed: int = 0                     # of the test that runs
    lines: list[str] = dataclasses.field(default_factory=list)

    def name_of(self, case: str) -> str:
        """The test that a case is of: the console names it after its last case only."""
        return next((name for name, cases in self.waiting.items() if case in cases), 'a test')


class View:
    """Shows the guests of a run on a terminal.

    shares: the tests of each guest; cases: gives the ids of a test; again: gives the command
    that runs one case alone; times: how often each test runs.
    """

    def __init__(self, progress: Progress, shares: Sequence[Tests],
                 cases: Callable[[str], Sequence[str]], again: Callable[[str], str],
                 shown: ShowRequest = ShowRequest(), times: int = 1) -> None:
        self._progress = progress
        self._shown = shown
        self._again = again
        self._times = times
        self._feeds = [Feed({name: list(shards.chosen(args) or cases(name))
                             for name, args in share}, {name: times for name, _ in share})
                       for share in shares]
        parts = collections.Counter(name for share in shares for name, _ in share)
        self._rows = {name: Row(count * times) for name, count in parts.items()}
        self.total = times * sum(len(ids) for feed in self._feeds
                                 for ids in feed.waiting.values())
        self.done = 0

    def count(self) -> int:
        """How many cases have a result."""
        return self.done

    def __call__(self, guests: Sequence[Guest]) -> None:
        """Show what the guests wrote since the last time."""
        for feed, guest in zip(self._feeds, guests):
            for line in guest.unshown:
                self._take(feed, guest.console, line)
            guest.unshown.clear()

    def _take(self, feed: Feed, console: ktap.Console, line: str) -> None:
        result = ktap.RESULT.match(line)
        if not result:
            feed.lines += [] if FRAME_LINE.match(line) or not line.strip() else [line]
            return
        closed = feed.tests < len(console.tests)
        test = console.tests[feed.tests] if closed else console.open
        if result[1]:
            self._case(feed, test.cases[feed.cases])
            feed.cases += 1
        elif closed:
            self._test(feed, test)
            feed.tests, feed.cases, feed.failed = feed.tests + 1, 0, 0
        feed.lines = []

    def _case(self, feed: Feed, case: ktap.Case) -> None:
        name = feed.name_of(case.name)
        self.done += 1
        if name in self._rows:
            self._rows[name].counts[case.outcome()] += 1
        if case.outcome() == 'fail':
            feed.failed += 1
            self._failed(f'{name}:{case.name}', feed.lines or [case.note], feed.left.get(name, 0))

    def _failed(self, name: str, lines: Iterable[str], left: int = 0) -> None:
        """Show why a case or a test failed. left: how often the test must run yet, if it must."""
        if self._shown.summary:
            return
        progress = self._progress
        where = (f', repetition {self._times - left + 1} of {self._times}'
                 if self._times > 1 and left else '')
        progress.line(progress.terminal.paint('FAILED', 'red', 'bold') + f' {name}{where}')
        told = [line.strip().removeprefix('# ') for line in lines if line.strip()]
        for line in told[-SAID_LINES:]:
            progress.line(f'    {line}')
        progress.line(f'    again: {self._again(name)}')

    def _test(self, feed: Feed, test: ktap.Test) -> None:
        name = test.result.name
        left = feed.left.get(name, 0)
        if name in feed.left:
            feed.left[name] -= 1
        if left == 1:
            feed.waiting.pop(name)
        events = [line for line in feed.lines if line.startswith(TRACED)]
        if feed.failed and not self._shown.summary:
            for line in events[-TRACE_LINES:]:
                self._progress.line(f'    {line.removeprefix("# ")}')
        row = self._rows.get(name)
        if not row:
            if not test.result.ok:
                self._failed(name, [test.result.note, *feed.lines])
            return
        row.parts -= 1
        row.seconds += test.result.seconds or 0
        if not test.cases:
            row.counts[test.result.outcome()] += 1
            row.notes += [test.skip_reason or test.result.note]
        elif not test.result.ok and not feed.failed:
            self._failed(name, [test.result.note, *feed.lines], left)
        if row.parts == 0:
            self._row(name, row)

    def _row(self, name: str, row: Row) -> None:
        """The line of a test program whose last part has come."""
        if self._shown.summary or (self._shown.failed and not row.counts['fail']):
            return
        terminal = self._progress.terminal
        colour = next((OUTCOMES[word][1] for word in ('fail', 'pass') if row.counts[word]),
                      'yellow')
        counts = ', '.join(f'{row.counts[word]} {said}' for word, (said, _) in OUTCOMES.items()
                           if row.counts[word])
        note = f' ({row.notes[0]})' if row.notes and row.notes[0] else ''
        room = max(20, terminal.columns() - len(name) - 12)
        self._progress.line(terminal.paint(name, colour) +
                            f': {f"{counts}{note}"[:room]}, {row.seconds:.1f} s')

    def conclude(self) -> None:
        """Name what did not come to its end."""
        for name, row in self._rows.items():
            if row.parts and row.counts.total():
                self._row(name, row)


def slowest(tests: Iterable[dict[str, typing.Any]]) -> list[tuple[float, str]]:
    """The slowest cases of results, [(seconds, name)]."""
    rows = [(case['seconds'], f'{test["name"]}:{case["name"]}')
            for test in tests for case in test['cases'] if case['seconds'] is not None]
    return sorted(rows, reverse=True)[:NAMED]


def summary(run: dict[str, typing.Any], problems: Sequence[str], notes: Sequence[str],
            columns: int) -> list[str]:
    """At most SUMMARY_LINES - 2 lines on a run, for above the times and the verdict.

    run: of results.collect().
    """
    lines = [f'slowest: {seconds:.1f} s {name}' for seconds, name in slowest(run['tests'])]
    room = SUMMARY_LINES - 2 - len(lines)
    told = [*problems, *notes]
    if len(told) > room:
        left = len(told) - room + 1
        told = [*told[:room - 1], f'and {left} more, see results.json in the build folder']
    return lines + [f'  {line}'[:max(columns - 1, 40)] for line in told]
