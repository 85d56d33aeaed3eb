# SPDX-License-Identifier: GPL-2.0-only
"""mutants/*.patch: seeded regressions of KVM, and the cases that must notice each.

A file is a subject that says what is lost, a paragraph on why somebody could
write it, and lines that say what must go red, all above an ordinary diff:

    Subject: KVM: TDX: Forget ...

    ...

    Kills: TEST:PATTERN      every case of TEST that PATTERN matches fails
    Kills: dmesg             the kernel warns
    Runs: TEST:PATTERN       is run as well, whatever comes of it
    Cpus: 2                  takes a guest with so many CPUs
    Leaks: WHAT              leaves too little of it for those after it in a guest
    Survives: REASON         changes nothing that a test can see, and why
"""

import dataclasses
import fnmatch
import os
import re

import series
from build import PROJECT
from failure import Failure, UsageError

FOLDER = os.path.join(PROJECT, 'mutants')
# The folder of the sources that a mutant may change: those of kvm-intel.ko.
SOURCES = 'arch/x86/kvm/vmx/'
DMESG = 'dmesg'
FIELDS = ('Subject', 'Kills', 'Runs', 'Cpus', 'Leaks', 'Survives')
FIELD = re.compile(rf'({"|".join(FIELDS)}):\s+(\S.*)')
CASES = re.compile(r'(\w+):(\S+)')


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One file of the folder.

    kills, runs: ((test, pattern), ...); warns: the kernel's log must tell of it;
    survives: why no test can see it, '' if one must; cpus: that the guest needs;
    leaks: what it leaves too little of, '' for nothing.
    """

    name: str
    path: str
    subject: str
    kills: tuple
    warns: bool
    runs: tuple
    survives: str
    cpus: int
    leaks: str = ''

    def named_cases(self, cases_of):
        """{test: [case ids that must fail]}; Failure for a pattern without a case."""
        return resolve(self.name, self.kills, cases_of)

    def run_cases(self, cases_of):
        """{test: [case ids to run]}."""
        return resolve(self.name, self.kills + self.runs, cases_of)


def resolve(name, pairs, cases_of):
    """{test: [case ids]} of (test, pattern) pairs.

    cases_of(test) gives the ids of a test, None if there is no such test.
    """
    found = {}
    for test, pattern in pairs:
        cases = cases_of(test)
        if cases is None:
            raise Failure(f'mutants/{name}: no test {test!r}')
        matching = fnmatch.filter(cases, pattern)
        if not matching:
            raise Failure(f'mutants/{name}: no case of {test} matches {pattern!r}')
        found.setdefault(test, set()).update(matching)
    return {test: sorted(cases) for test, cases in found.items()}


def parse(path, text):
    """The Mutant that a file holds. ValueError says what is wrong with it."""
    head, diff, _ = text.partition('\ndiff --git ')
    if not diff:
        raise ValueError('holds no "diff --git"')
    values = {field: [] for field in FIELDS}
    for line in head.splitlines():
        match = FIELD.fullmatch(line.rstrip())
        if match:
            values[match[1]].append(match[2])
        elif line.partition(':')[0] in FIELDS:
            raise ValueError(f'{line.strip()!r} has no value')
    if not head.startswith('Subject: ') or len(values['Subject']) != 1:
        raise ValueError('wanted one "Subject: ", on the first line')
    prose = [line for line in head.splitlines()[1:] if line.strip() and not FIELD.match(line)]
    if not prose:
        raise ValueError('does not say why somebody could write it')
    warns = DMESG in values['Kills']
    kills, runs = (tuple(parse_cases(field, value) for value in values[field] if value != DMESG)
                   for field in ('Kills', 'Runs'))
    survives = ' '.join(values['Survives'])
    if bool(survives) == bool(kills or warns):
        raise ValueError('wanted either "Kills: " or "Survives: "')
    if not kills and not runs:
        raise ValueError('runs no case: wanted "Kills: TEST:PATTERN" or "Runs: TEST:PATTERN"')
    cpus = values['Cpus'] or ['1']
    if not re.fullmatch('[1-8]', ' '.join(cpus)):
        raise ValueError(f'"Cpus: {" ".join(cpus)}": wanted 1 to 8')
    for file, creates in series.touched(text).items():
        if creates or not file.startswith(SOURCES) or not file.endswith('.c'):
            raise ValueError(f'changes {file}; wanted .c files of {SOURCES} only')
    name = os.path.basename(path)[:-len('.patch')]
    return Mutant(name, path, values['Subject'][0], kills, warns, runs, survives, int(cpus[0]),
                  ' '.join(values['Leaks']))


def parse_cases(field, value):
    match = CASES.fullmatch(value)
    if not match:
        raise ValueError(f'"{field}: {value}" is not like TEST:PATTERN')
    return match[1], match[2]


def files(folder=FOLDER):
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith('.patch')]


def load(path):
    try:
        with open(path, encoding='utf-8') as f:
            return parse(path, f.read())
    except ValueError as e:
        raise UsageError(f'mutants/{os.path.basename(path)}: {e}') from e


def chosen(words, folder=FOLDER):
    """The mutants that match any of the words, all without words.

    A word is a file, or a pattern of names, with or without ".patch".
    """
    paths = files(folder)
    if not words:
        return [load(path) for path in paths]
    found = []
    for word in words:
        name = word.removesuffix('.patch')
        matching = [p for p in paths
                    if fnmatch.fnmatchcase(os.path.basename(p)[:-len('.patch')], name)]
        if not matching and os.path.isfile(word):
            matching = [word]
        if not matching:
            raise UsageError(f'{word}: no such mutant; mutants/ holds '
                             + (', '.join(os.path.basename(p)[:-6] for p in paths) or 'none'))
        found += [path for path in matching if path not in found]
    return [load(path) for path in found]


def check_form():
    """Each file of mutants/ is a mutant, and no two have one subject."""
    seen = {}
    for path in files():
        try:
            mutant = load(path)
        except Failure as e:
            yield str(e)
            continue
        if mutant.subject in seen:
            yield f'mutants/{mutant.name}: has the subject of {seen[mutant.subject]}'
        seen[mutant.subject] = mutant.name


def check_suite(built):
    """Each pattern matches a case of the built suite."""
    for path in files():
        try:
            load(path).run_cases(built.cases_of)
        except Failure as e:
            yield str(e)
