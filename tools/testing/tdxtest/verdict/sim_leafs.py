# SPDX-License-Identifier: GPL-2.0-only
"""The table of the simulated module's leafs, held against its code and its KUnit tests.

Documentation/arch/x86/tdx-sim-leafs.rst has a section for each leaf, and in it a
table of check, answer, and what covers it: a KUnit case "suite.case", a case of
the suite "test:pattern", or "-". The KUnit tests print each answer that they got.
"""

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator

from tdxtest.base.paths import PROJECT

PAGE = 'Documentation/arch/x86/tdx-sim-leafs.rst'
SIM = 'arch/x86/virt/vmx/tdx/sim'
TABLES = ('seamcalls.def', 'tdcalls.def')
ABSENT = 'Leafs that are not simulated'
NOTHING = '-'
MIN_COVERED = 0.95

ROW = re.compile(r'^(?:SEAMCALL|TDCALL)\(\w+,\s*(\w+)', re.MULTILINE)
ABSENT_ROW = re.compile(r'^(?:SEAMCALL|TDCALL)_ABSENT\((\w+)', re.MULTILINE)
SUITE = re.compile(r'.*?\s# Subtest: (tdx_sim\w*)$')
ANSWER = re.compile(r'.*?\s# (\w+): (TD[HG]_\w+) answers (.+)$')
KUNIT_CASE = re.compile(r'KUNIT_CASE(?:_PARAM)?\((\w+)')
KUNIT_SUITE = re.compile(r'\.name = "(tdx_sim\w*)"')
RULE = re.compile(r'=+(?: +=+)+$')


def read(*parts: str) -> str:
    with open(os.path.join(PROJECT, *parts), encoding='utf-8') as f:
        return f.read()


def leafs() -> tuple[set[str], set[str]]:
    """(names of the leafs that are simulated, names of the absent ones)."""
    texts = [read(SIM, name) for name in TABLES]
    return ({m for text in texts for m in ROW.findall(text)},
            {m for text in texts for m in ABSENT_ROW.findall(text)})


def rows(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line number, section, [cells]) of each row of the page's simple tables."""
    section, in_head = '', False
    spans: list[tuple[int, int]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        after = lines[number] if number < len(lines) else ''
        if line and after == '-' * len(line):
            section, spans = line, []
        elif RULE.match(line):
            # A table has three rules: over its head, under it, and at its end.
            if not spans:
                spans, in_head = [m.span() for m in re.finditer('=+', line)], True
            elif in_head:
                in_head = False
            else:
                spans = []
        elif spans and not in_head and line.strip():
            starts = [start for start, _ in spans] + [None]
            yield number, section, [line[a:b].strip() for a, b in zip(starts, starts[1:])]


def name_of(section: str) -> str:
    """TDH_MNG_CREATE for the section TDH.MNG.CREATE."""
    return section.replace('.', '_')


def kunit_cases() -> set[str]:
    """The ids "suite.case" of the module's KUnit tests, from their source."""
    found: set[str] = set()
    for name in os.listdir(os.path.join(PROJECT, SIM)):
        if name.startswith('sim_test') and name.endswith('.c'):
            text = read(SIM, name)
            names = KUNIT_SUITE.findall(text)
            found.update(f'{names[0]}.{case}' for case in KUNIT_CASE.findall(text) if names)
    return found


def check_page(text: str | None = None) -> Iterator[str]:
    """The page has a table for each leaf, and names KUnit cases that exist."""
    simulated, absent = leafs()
    known = kunit_cases()
    seen, listed, covered, total = set(), set(), 0, 0
    for number, section, cells in rows(read(PAGE) if text is None else text):
        where = f'{PAGE}:{number}'
        if section == ABSENT:
            listed.add(name_of(cells[0]))
            continue
        if name_of(section) not in simulated:
            continue
        seen.add(name_of(section))
        total += 1
        if len(cells) != 3 or not all(cells):
            yield f'{where}: wanted check, answer and cases, got {cells}'
            continue
        covered += cells[2] != NOTHING
        for word in cells[2].split():
            if word != NOTHING and ':' not in word and word not in known:
                yield f'{where}: {section}: no KUnit case {word}'
    for name in sorted(simulated - seen):
        yield f'{PAGE}: {name} has no table'
    for name in sorted(absent ^ listed):
        yield f'{PAGE}: {name}: not simulated, and the list of such leafs, do not agree'
    if total and covered < MIN_COVERED * total:
        yield f'{PAGE}: {covered} of {total} checks are covered, wanted {MIN_COVERED:.0%}'


def answers(log: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """{(leaf, answer): {ids of the KUnit cases that got it}} of a kernel log."""
    found: dict[tuple[str, str], set[str]] = {}
    current = ''
    for line in log:
        line = line.rstrip()
        if match := SUITE.match(line):
            current = match[1]
        elif match := ANSWER.match(line):
            found.setdefault((match[2], match[3]), set()).add(f'{current}.{match[1]}')
    return found


def check_answers(log: Iterable[str], cases_of: Callable[[str], Collection[str] | None],
                  text: str | None = None) -> Iterator[str]:
    """Each row's case got its answer, and each answer that a case got has a row.

    cases_of: gives the case ids of a test of the suite, None without such a test.
    """
    got = answers(log)
    if not got:
        yield 'no KUnit case tells what a leaf answered'
    simulated, absent = leafs()
    documented = set()
    for number, section, cells in rows(read(PAGE) if text is None else text):
        leaf = name_of(section)
        if leaf not in simulated or len(cells) != 3:
            continue
        documented.add((leaf, cells[1]))
        for word in cells[2].split():
            test, colon, pattern = word.partition(':')
            if colon:
                if not fnmatch.filter(cases_of(test) or (), pattern):
                    yield f'{PAGE}:{number}: {section}: no case {word}'
            elif word != NOTHING and word not in got.get((leaf, cells[1]), ()):
                yield f'{PAGE}:{number}: {section}: {word} did not get {cells[1]}'
    for leaf, answer in sorted(set(got) - documented):
        if leaf not in absent:
            yield f'{PAGE}: {leaf} answers {answer}, which has no row'
