# SPDX-License-Identifier: GPL-2.0-only
"""The pages on the simulated module's leafs, held against its code and its KUnit tests.

The rows of seamcalls.def and tdcalls.def are the one list of leafs.

Documentation/arch/x86/tdx-sim-leafs.rst has a section for each leaf, and in it a
table of check, answer, and what covers it: a KUnit case "suite.case", a case of
the suite "test:pattern", or "-". The KUnit tests print each answer that they got.
It ends with a table of the leafs that are not simulated, and what they are for.

Documentation/arch/x86/tdx-sim.rst has a table of all leafs by family, and the
files that have their code.
"""

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator

from tdxtest.base.paths import PROJECT

PAGE = 'Documentation/arch/x86/tdx-sim-leafs.rst'
OVERVIEW = 'Documentation/arch/x86/tdx-sim.rst'
FAMILIES = 'Leafs'
SIM = 'arch/x86/virt/vmx/tdx/sim'
KUNIT_FOLDER = f'{SIM}/tests'
TABLES = ('tdh/seamcalls.def', 'tdg/tdcalls.def')
ABSENT = 'Leafs that are not simulated'
NOTHING = '-'
MIN_COVERED = 0.95

ROW = re.compile(r'^(?:SEAMCALL|TDCALL)\(\w+, (\w+), (\d+),', re.MULTILINE)
ABSENT_ROW = re.compile(r'^(?:SEAMCALL|TDCALL)_ABSENT\((\w+), (\d+), "(.*)"\)', re.MULTILINE)
KERNEL_LEAF = re.compile(r'^#define (TD[HG]_\w+)\s+(\d+)$', re.MULTILINE)
SUITE = re.compile(r'.*?\s# Subtest: (tdx_sim\w*)$')
ANSWER = re.compile(r'.*?\s# (\w+): (TD[HG]_\w+) answers (.+)$')
KUNIT_CASE = re.compile(r'KUNIT_CASE(?:_PARAM)?\((\w+)')
KUNIT_SUITE = re.compile(r'\.name = "(tdx_sim\w*)"')
RULE = re.compile(r'=+(?: +=+)+$')


def read(*parts: str) -> str:
    with open(os.path.join(PROJECT, *parts), encoding='utf-8') as f:
        return f.read()


def leafs() -> tuple[set[str], dict[str, str]]:
    """(names of the leafs that are simulated, {name of an absent one: what it is for})."""
    texts = [read(SIM, name) for name in TABLES]
    return ({name for text in texts for name, _ in ROW.findall(text)},
            {name: why for text in texts for name, _, why in ABSENT_ROW.findall(text)})


def numbers() -> dict[str, int]:
    """{name of a leaf: its number} of all rows."""
    texts = [read(SIM, name) for name in TABLES]
    return {name: int(number) for text in texts
            for name, number, *_ in ROW.findall(text) + ABSENT_ROW.findall(text)}


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
    for name in os.listdir(os.path.join(PROJECT, KUNIT_FOLDER)):
        if name.endswith('_kunit.c'):
            text = read(KUNIT_FOLDER, name)
            names = KUNIT_SUITE.findall(text)
            found.update(f'{names[0]}.{case}' for case in KUNIT_CASE.findall(text) if names)
    return found


def check_page(text: str | None = None) -> Iterator[str]:
    """The page has a table for each leaf, and names KUnit cases that exist."""
    simulated, absent = leafs()
    known = kunit_cases()
    seen, covered, total = set(), 0, 0
    listed: dict[str, str] = {}
    for number, section, cells in rows(read(PAGE) if text is None else text):
        where = f'{PAGE}:{number}'
        if section == ABSENT:
            listed[name_of(cells[0])] = cells[1]
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
    for name in sorted(absent.keys() | listed.keys()):
        if absent.get(name) != listed.get(name):
            yield (f'{PAGE}: {ABSENT}: {name}: the table has {listed.get(name)!r}, '
                   f'the row {absent.get(name)!r}')
    if total and covered < MIN_COVERED * total:
        yield f'{PAGE}: {covered} of {total} checks are covered, wanted {MIN_COVERED:.0%}'


def families(text: str) -> dict[str, tuple[list[str], list[str]]]:
    """{family: ([leafs], [files])} of the overview's table, whose cells may go on below."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    family = ''
    for _, section, cells in rows(text):
        if section == FAMILIES and len(cells) == 3:
            family = cells[0] or family
            leaf_words, files = found.setdefault(family, ([], []))
            leaf_words += re.findall(r'[A-Z][A-Z.]*', cells[1])
            files += re.findall(r'[\w./]+\.c', cells[2])
    return found


def check_families(text: str | None = None,
                   code: Callable[[str], str] | None = None) -> Iterator[str]:
    """The overview lists each leaf that is simulated, with a file that has its function.

    code: gives the text of a file of the module.
    """
    code = code or (lambda name: read(SIM, name))
    simulated, _ = leafs()
    listed = set()
    for family, (words, files) in families(read(OVERVIEW) if text is None else text).items():
        texts = [code(name) for name in files]
        for name in (name_of(f'{family}.{word}') for word in words):
            listed.add(name)
            if name in simulated and not any(f'\nu64 sim_{name.lower()}(' in t for t in texts):
                yield f'{OVERVIEW}: {family}: sim_{name.lower()}() is not in {", ".join(files)}'
    for name in sorted(simulated ^ listed):
        yield f'{OVERVIEW}: {name} is ' + ('in no row' if name in simulated else 'not simulated')


def check_numbers(headers: Iterable[str]) -> Iterator[str]:
    """Each leaf that a kernel's headers number has a row, with the same number."""
    known = numbers()
    for name, number in (match for text in headers for match in KERNEL_LEAF.findall(text)):
        if name not in known:
            yield f'{", ".join(TABLES)}: the kernel has {name} {number}, which has no row'
        elif known[name] != int(number):
            yield (f'{", ".join(TABLES)}: {name}: wanted {number} as in the kernel, '
                   f'got {known[name]}')


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
