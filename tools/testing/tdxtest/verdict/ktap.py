# SPDX-License-Identifier: GPL-2.0-only
"""Reads a guest's console: KTAP results, and how the guest ended. judging.py judges it.

The parser of tools/testing/kunit is not used: it comes with the tree under
test, and a verdict must not depend on what is being tried; it reads a document
that is whole, not the consoles of several guests that may hang. But the two must
agree, which second_opinion.py checks.
"""

import dataclasses
import re
from collections.abc import Iterable

from tdxtest.base import table_file
from tdxtest.base.paths import WARNINGS
from tdxtest.verdict import findings

VERSION = re.compile(r'KTAP version 1$')
# The note of a case that did not say why it skipped itself: any assertion that fails while
# errno is EACCES ends a KVM selftest like that.
UNEXPLAINED = ('SKIP', 'SKIP UNKNOWN')
PLAN = re.compile(r'(\s*)1\.\.(\d+)(?:\s*# SKIP[\s-]*(.*))?')
RESULT = re.compile(r'(\s*)(ok|not ok) (\d+) (?:- )?([^#]*?)\s*(?:# (.*))?$')
# Directives of a case that is expected to fail, for a finding of findings/: it did, or
# it passed.
XFAIL, XPASS = 'xfail', 'xpass'
FINDING = re.compile(r'finding (\d+)')
# A harness assertion, "# file.c:10:case:text"; plain lines are TEST_ASSERT()'s.
SAID = re.compile(r'\s+# (\S+\.c:\d+:.*)')
# Of guest_src/init.c: how long a step took, and what the kernel logged meanwhile.
TOOK = re.compile(r'# (\S+): (\d+\.\d+) s(?: of guest time)?$')
WARNED = re.compile(r'# \S+: (the kernel warned \d+ time.*)')
# A panic is printed by the kernel itself.
KERNEL = re.compile(r'(# kernel(?: \(expected\))?: )?(\[\s*\d+\.\d+\] .*)')
# How init begins a line with a warning that the test expects.
EXPECTED = '# kernel (expected): '
# Of guest/machines/ssh_remote.sh, without root rights.
UNWATCHED = re.compile(r'# \S+: the kernel log cannot be watched$')
# Of the kselftest harness: a case begins.
RUNS = re.compile(r'\s+#  RUN\s+(\S+) \.\.\.$')
# Of guest_src/hang.c: a test that is silent for long, and the stacks of its tasks.
HANG = '# hang: '
# Of guest_src/td/td_test.c: what the kernel of a TD prints says nothing of the guest's own.
TD_CONSOLE = re.compile(r'\s*# td: ')
# Of guest_src/collect.c: for a program, not for a person.
BULK = '# collect: data '
BAIL_OUT = re.compile(r'\s*Bail out!\s*(.*)')
PANIC = re.compile(r'Kernel panic - not syncing|Kernel panic: ')
POWER_OFF = 'reboot: Power down'
# A small kernel cannot power off. Nothing comes after this: the machine is ended.
RESTART = 'reboot: Restarting system'
# The last line of guest/machines/ssh_remote.sh, whose host stays on.
DONE = '# tdxtest: done'
HALTED = 'reboot: System halted'
NO_POWER_OFF = 'reboot: Power off not available'
# Steps of guest_src/init.c that are no tests.
FRAME = ('boot', 'load_kvm', 'unload_kvm')


def warning_texts(path: str = WARNINGS) -> list[str]:
    """The texts that mark a kernel warning; the guest's init reads the same list."""
    return table_file.lines(path)


def outcome(ok: bool, skip: bool, mark: str = '') -> str:
    """pass, fail, skip, XFAIL or XPASS."""
    return 'fail' if not ok else 'skip' if skip else mark or 'pass'


@dataclasses.dataclass
class Case:
    """One result line: a case of a test, or a test as a whole."""

    name: str
    ok: bool
    skip: bool
    note: str = ''
    seconds: float | None = None    # of real time if the console was followed, else of guest time
    mark: str = ''          # XFAIL, XPASS, or nothing of the kind

    def outcome(self) -> str:
        """pass, fail, skip, XFAIL or XPASS."""
        return outcome(self.ok, self.skip, self.mark)

    def finding(self) -> int:
        """The number of the finding that the case belongs to, 0 if there is none."""
        found = FINDING.search(self.note)
        return int(found[1]) if found and self.mark else 0


@dataclasses.dataclass
class Test:
    """A top-level result with the results nested in it."""

    result: Case
    cases: list[Case] = dataclasses.field(default_factory=list)
    planned: int | None = None
    skip_reason: str = ''

    def failed(self) -> list[Case]:
        return [c for c in self.cases if not c.ok]


# Of a test whose line did not come yet.
NO_RESULT = Case('', False, False)


class Console:
    """Reads a console line by line; it can be judged at any time."""

    def __init__(self, texts: Iterable[str] | None = None) -> None:
        self._texts = warning_texts() if texts is None else texts
        # Which test a raw line belongs to is not known. Init knows, and says what is expected.
        self._expected = {text for _, text in findings.expected_warnings()}
        self.started = False
        self.planned: int | None = None
        self.tests: list[Test] = []
        self.open = Test(NO_RESULT)     # results that no top-level line closed yet
        self._said = ''             # the last line of a case, which says why it failed
        self.run_case = ''          # the case that has begun and has no result yet
        self.hang: list[str] = []   # what init told of the last silent test
        self.bailed = ''
        self.panic = ''
        self.powered_off = False    # or restarted, which is a good end as well
        self.restarted = False
        self.halted = False
        self.machine_died = False   # on its own, not because of the guest
        self.warnings: list[str] = []   # of the raw console: before init reads the log
        self.unwatched = False      # whether the kernel warned is not known
        self.log: list[tuple[str, bool]] = []   # the kernel's lines: (text, it is a warning)
        self._warned = ''           # what init told of the kernel in this step
        self._took: float | None = None     # guest time of the step whose result comes next
        self._at: float | None = None       # when the last result came

    def feed(self, line: str, at: float | None = None) -> bool:
        """Take a line that came at the time `at`, in seconds, None for a saved one.

        True when it is a part of the KTAP document that a person may want to see.
        """
        line = line.rstrip('\r\n')
        if TD_CONSOLE.match(line):
            return True
        if PANIC.search(line):
            self.panic = line.strip()
        if RESTART in line:
            self.restarted = True
        if POWER_OFF in line or self.restarted or line == DONE:
            self.powered_off = True
        if NO_POWER_OFF in line or HALTED in line:
            self.halted = True
        if not self.started:
            self.started = bool(VERSION.match(line))
            self._at = at
            if not self.started and self._logged(line):
                self.warnings.append(line.strip())
            return self.started
        self._ktap(line, at)
        return not line.startswith(BULK)

    def _logged(self, line: str, told: str = '') -> bool:
        """Keep a line of the kernel. True if it is a warning.

        told: how init began the line, '' for one of the kernel itself.
        """
        expected = (told == EXPECTED if told else
                    any(text in line for text in self._expected))
        warned = any(t in line for t in self._texts) and not expected
        self.log.append((line, warned))
        return warned

    def _seconds(self, at: float | None) -> float | None:
        """How long the result that came at `at` took, None if that is not known."""
        took = None if at is None or self._at is None else at - self._at
        self._at = at
        return took

    def _ktap(self, line: str, at: float | None) -> None:
        bail = BAIL_OUT.match(line)
        plan = PLAN.match(line)
        result = RESULT.match(line)
        if bail and not line.startswith(' '):
            self.bailed = bail[1]
        elif plan and not plan[1]:
            self.planned = int(plan[2])
        elif plan:
            self.open.planned = (self.open.planned or 0) + int(plan[2])
            self.open.skip_reason = plan[3] or ''
        elif result:
            note = result[5] or ''
            word = note.split(' ', 1)[0].lower()
            case = Case(result[4].strip(), result[2] == 'ok',
                        note.upper().startswith('SKIP'), note, self._seconds(at),
                        word if word in (XFAIL, XPASS) else '')
            self.run_case = ''
            if result[1]:
                if note.upper() in UNEXPLAINED:
                    case.ok, case.skip, case.note = False, False, ''
                if case.outcome() == XFAIL and self._said:
                    case.note = f'{case.note}: {self._said}'
                case.note = case.note or self._said
                self._said = ''
                self.open.cases.append(case)
            else:
                case.seconds = self._whole(case)
                case.note, self._warned = case.note or self._warned, ''
                self.open.result = case
                self.tests.append(self.open)
                self.open = Test(NO_RESULT)
        elif match := RUNS.match(line):
            self.run_case, self.hang = match[1], []
        elif line.startswith(HANG):
            self.hang.append(line)
        elif match := KERNEL.match(line):
            self._logged(match[2], match[1] or '')
        elif UNWATCHED.match(line):
            self.unwatched = True
        elif match := WARNED.match(line):
            self._warned = match[1]
        elif match := TOOK.match(line):
            self._took = float(match[2])
        elif (line.startswith('  ') and line.strip() and
              not line.strip().startswith(('#', 'TAP version', 'KTAP version'))):
            self._said = line.strip()
        elif match := SAID.match(line):
            self._said = match[1]

    def _whole(self, result: Case) -> float | None:
        """Seconds of a top-level result: with those of its cases, or of the guest."""
        took, self._took = self._took, None
        if result.seconds is None:
            return took
        return result.seconds + sum(case.seconds or 0 for case in self.open.cases)

    def running(self) -> str:
        """The name of the last case seen, for the line that says where it ended."""
        if self.open.cases:
            return f'after {self.open.cases[-1].name}'
        if self.tests:
            return f'after {self.tests[-1].result.name}'
        return 'before the first test'
