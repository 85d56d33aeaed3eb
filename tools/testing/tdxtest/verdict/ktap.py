# SPDX-License-Identifier: GPL-2.0-only
"""Judges a guest's console: KTAP results, and how the guest ended.

The parser of tools/testing/kunit is not used: it comes with the tree under
test, and a verdict must not depend on what is being tried; it reads a document
that is whole, not the consoles of several guests that may hang. But the two must
agree, which second_opinion.py checks.
"""

import collections
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tdxtest.base import table_file
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS
from tdxtest.base.paths import WARNINGS
from tdxtest.verdict import findings, repetitions

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

# The cases of each test that a guest must run; no case stands for all of them.
Wanted = Mapping[str, Sequence[str]]
# A console, why its guest was ended ('' or None: it powered off), and what it must run.
Judged = tuple['Console', str | None, Wanted]


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
    """Reads a console line by line; judge() may be asked at any time."""

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
