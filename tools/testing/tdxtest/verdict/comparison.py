# SPDX-License-Identifier: GPL-2.0-only
"""What differs between two kernels for the suite."""

import dataclasses

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.tree import mbox
from tdxtest.verdict import hang, ktap

STATES = ('ok', 'not ok', 'skipped', ktap.XFAIL)
STATE_OF = {'pass': 'ok', 'fail': 'not ok', 'skip': 'skipped', ktap.XPASS: 'ok'}
# Kinds of a change that count against a series.
RED = ('went red', 'vanished', 'was ok, is skipped')


@dataclasses.dataclass(frozen=True)
class Change:
    """A case whose result differs.

    before, after: one of STATES, '' where there is no result; finding: the number of the
    finding that the case belongs to, 0 if there is none.
    """

    test: str
    case: str
    before: str
    after: str
    note: str
    finding: int = 0

    def kind(self) -> str:
        if self.before == ktap.XFAIL and self.after == 'ok':
            return f'finding {self.finding} fixed'
        if self.after == 'not ok' or (self.after == ktap.XFAIL and self.before == 'ok'):
            return 'went red'
        if self.before == 'not ok' and self.after == 'ok':
            return 'went green'
        if not self.before:
            return 'appeared'
        if not self.after:
            return 'vanished'
        return f'was {self.before}, is {self.after}'

    def is_red(self) -> bool:
        return self.kind() in RED

    def is_green(self) -> bool:
        return self.after == 'ok' and self.before in ('not ok', ktap.XFAIL)


@dataclasses.dataclass
class Comparison:
    """Both runs. problems: what only the patched kernel did wrong beside cases."""

    series: mbox.Series
    version: str
    built: str
    changes: list[Change]
    problems: list[str]
    same: int               # cases with the same result
    red_before: list[str]   # problems of the base, which say nothing of the series
    ignored: list[str]      # files of the series that no kernel is made of
    notes: list[str] = dataclasses.field(default_factory=list)  # what a reviewer should know
    gone: list[str] = dataclasses.field(default_factory=list)   # of red_before, with the series
    hangs: list[hang.Hang] = dataclasses.field(default_factory=list)    # of the patched kernel
    not_run: int = 0        # cases that a hang left out

    def status(self) -> int:
        bad = self.problems or self.hangs or any(change.is_red() for change in self.changes)
        return EXIT_FAIL if bad else EXIT_PASS

    def verdict(self) -> str:
        counts: dict[str, int] = {}
        for change in self.changes:
            counts[change.kind()] = counts.get(change.kind(), 0) + 1
        parts = [one.where() for one in self.hangs]
        parts += [f'{self.not_run} not run'] if self.not_run else []
        parts += [f'{count} {kind}' for kind, count in counts.items()]
        if self.problems:
            parts.append(f'{len(self.problems)} problem(s)')
        if self.gone:
            parts.append(f'{len(self.gone)} problem(s) gone')
        return (', '.join(parts) or 'no case changed') + f'; {self.same} case(s) as before'
