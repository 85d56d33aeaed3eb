# SPDX-License-Identifier: GPL-2.0-only
"""mutants/FOLDER/NAME.patch: seeded regressions of KVM, and the cases that must notice each.

mutants/README.md has the form of a file. Its folder is the subject of the tests that
must notice it: those of mutants/map_gpa are tdx_map_gpa_test and tdx_map_gpa_*_test.
"""

import dataclasses
import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Iterator

from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT
from tdxtest.kvm import modules
from tdxtest.tree import diffs, series, td_tests
from tdxtest.tree.suite import Suite

FOLDER = os.path.join(PROJECT, 'mutants')
# The folders of the sources that a mutant may change: those of kvm.ko and kvm-intel.ko.
SOURCES = ('arch/x86/kvm/', 'virt/kvm/')
# Those that a TD with a real VMM notices.
TD_FOLDER = 'td'
DMESG = 'dmesg'
SUFFIX = '.patch'
NAME = re.compile(r'[a-z0-9_]+/[a-z0-9-]+')
FIELDS = ('Subject', 'Kills', 'Runs', 'Cpus', 'Kernel', 'Config', 'Leaks', 'Survives',
          'Was')
# The kernel of --trace.
TRACED = 'trace'
FIELD = re.compile(rf'({"|".join(FIELDS)}):\s+(\S.*)')
CASES = re.compile(r'(\w+):(\S+)')
OPTION = re.compile(r'[A-Z0-9_]+')
# ((test, pattern of its cases), ...)
Pairs = tuple[tuple[str, str], ...]
# Gives the case ids of a test, None if there is no such test.
CasesOf = Callable[[str], list[str] | None]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One file of the folder.

    name: FOLDER/NAME; kills, runs: ((test, pattern), ...); warns: the kernel's log
    must tell of it; survives: why no test can see it, '' if one must; cpus: that the
    guest needs; leaks: what it leaves too little of, '' for nothing; was: a former
    name without a folder, '' if it follows from the name; module: of which it makes
    another; traced: it needs the kernel of --trace; options: that its kernel must have.
    """

    name: str
    path: str
    subject: str
    kills: Pairs
    warns: bool
    runs: Pairs
    survives: str
    cpus: int
    leaks: str = ''
    was: str = ''
    module: str = modules.MODULE
    traced: bool = False
    options: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        return os.path.dirname(self.name)

    @property
    def flat_name(self) -> str:
        """What selects it without its folder: map-gpa-retry-limit for map_gpa/retry-limit."""
        return alike(self.was or self.name.replace('/', '-'))

    def tests(self) -> list[str]:
        """The tests that must notice it, or else those that it runs."""
        return list(dict.fromkeys(test for test, _ in self.kills or self.runs))

    def named_cases(self, cases_of: CasesOf) -> dict[str, list[str]]:
        """{test: [case ids that must fail]}; Failure for a pattern without a case."""
        return resolve(self.name, self.kills, cases_of)

    def run_cases(self, cases_of: CasesOf) -> dict[str, list[str]]:
        """{test: [case ids to run]}."""
        return resolve(self.name, self.kills + self.runs, cases_of)


def boots_td(mutant: Mutant) -> bool:
    """Whether a test that it runs boots a TD with a real VMM, which takes minutes."""
    return any(test in td_tests.NAMES for test, _ in mutant.kills + mutant.runs)


def missing_options(mutant: Mutant, has: Callable[[str], bool]) -> list[str]:
    """What a kernel lacks of the options that the mutant needs. has: whether it has one."""
    return [option for option in mutant.options if not has(option)]


def alike(name: str) -> str:
    """A name in which a dash and an underscore are the same."""
    return name.replace('_', '-')


def resolve(name: str, pairs: Pairs, cases_of: CasesOf) -> dict[str, list[str]]:
    """{test: [case ids]} of (test, pattern) pairs.

    cases_of(test) gives the ids of a test, None if there is no such test.
    """
    found: dict[str, set[str]] = {}
    for test, pattern in pairs:
        cases = cases_of(test)
        if cases is None:
            raise Failure(f'mutants/{name}: no test {test!r}')
        matching = fnmatch.filter(cases, pattern)
        if not matching:
            raise Failure(f'mutants/{name}: no case of {test} matches {pattern!r}')
        found.setdefault(test, set()).update(matching)
    return {test: sorted(cases) for test, cases in found.items()}


def parse(path: str, text: str) -> Mutant:
    """The Mutant that a file holds. ValueError says what is wrong with it."""
    head, diff, _ = text.partition('\ndiff --git ')
    if not diff:
        raise ValueError('holds no "diff --git"')
    values: dict[str, list[str]] = {field: [] for field in FIELDS}
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
    kernel = ' '.join(values['Kernel'])
    if kernel not in ('', TRACED):
        raise ValueError(f'"Kernel: {kernel}": wanted {TRACED}')
    for option in values['Config']:
        if not OPTION.fullmatch(option):
            raise ValueError(f'"Config: {option}": wanted an option without CONFIG_')
    touched = series.touched(text)
    for file, creates in touched.items():
        if creates or not file.startswith(SOURCES) or not file.endswith('.c'):
            raise ValueError(f'changes {file}; wanted .c files of {" and ".join(SOURCES)} only')
    parts = sorted(set(map(modules.module_of, touched)))
    if len(parts) != 1:
        raise ValueError(f'changes {" and ".join(parts)}; wanted one module')
    return Mutant(name_of(path), path, values['Subject'][0], kills, warns, runs, survives,
                  int(cpus[0]), ' '.join(values['Leaks']), ' '.join(values['Was']),
                  parts[0], bool(kernel), tuple(values['Config']))


def parse_cases(field: str, value: str) -> tuple[str, str]:
    match = CASES.fullmatch(value)
    if not match:
        raise ValueError(f'"{field}: {value}" is not like TEST:PATTERN')
    return match[1], match[2]


def name_of(path: str) -> str:
    """FOLDER/NAME of a file."""
    folder, file = os.path.split(os.path.abspath(path))
    return f'{os.path.basename(folder)}/{file.removesuffix(SUFFIX)}'


def files(root: str = FOLDER) -> list[str]:
    """The files of all folders below `root`, in the order of their names."""
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.join(folder, n) for n in names
                  if n.endswith(SUFFIX) and os.path.dirname(folder) == root]
    return sorted(found)


def load(path: str) -> Mutant:
    try:
        with open(path, encoding='utf-8') as f:
            return parse(path, f.read())
    except ValueError as e:
        raise UsageError(f'mutants/{name_of(path)}: {e}') from e


def selects(word: str, mutant: Mutant) -> bool:
    """Whether a word is the mutant's folder, or a pattern of its name.

    A pattern without a slash is one of the flat name.
    """
    pattern = word.removesuffix(SUFFIX).rstrip('/')
    if '/' in pattern:
        return fnmatch.fnmatchcase(mutant.name, pattern)
    return pattern == mutant.folder or fnmatch.fnmatchcase(mutant.flat_name, alike(pattern))


def chosen(words: Iterable[str], root: str = FOLDER) -> list[Mutant]:
    """The mutants that any of the words selects, all without words.

    A word is a folder, a pattern of names with or without ".patch", or a file.
    """
    present = [load(path) for path in files(root)]
    if not words:
        return present
    found = []
    for word in words:
        matching = [mutant for mutant in present if selects(word, mutant)]
        if not matching and os.path.isfile(word):
            matching = [load(word)]
        if not matching:
            folders = sorted({mutant.folder for mutant in present})
            raise UsageError(f'{word}: no such mutant; mutants/ has the folders '
                             + (', '.join(folders) or 'none'))
        found += [mutant for mutant in matching if mutant not in found]
    return found


def belongs(mutant: Mutant) -> bool:
    """Whether a test that must notice the mutant is of its folder's subject.

    The tests that boot a TD have a folder of their own.
    """
    if mutant.folder == TD_FOLDER:
        return set(mutant.tests()) <= set(td_tests.NAMES)
    subject = re.compile(rf'tdx_{re.escape(mutant.folder)}_(\w+_)?test')
    return any(subject.fullmatch(test) for test in mutant.tests())


def check_places(root: str = FOLDER) -> Iterator[str]:
    """A folder holds mutants only, the folder above them folders and what describes them."""
    known = set(files(root)) | {os.path.join(root, 'README.md')}
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if path not in known:
                yield f'mutants/{os.path.relpath(path, root)}: wanted FOLDER/NAME{SUFFIX}'


def change(path: str) -> tuple[object, ...]:
    """What a mutant changes: (file, line of the old file, line of the diff), in order."""
    with open(path, 'rb') as f:
        found = diffs.parse(f.read())
    changed: list[object] = []
    for diff in found:
        for hunk in diff.hunks:
            line = hunk.start
            for text in hunk.lines:
                if text.startswith((b'+', b'-')):
                    changed.append((diff.new, line, text))
                line += not text.startswith((b'+', b'\\'))
    return tuple(changed)


def check_form(root: str = FOLDER) -> Iterator[str]:
    """Each file is a mutant in its place. No two share a subject, a name or a change."""
    yield from check_places(root)
    subjects: dict[str, str] = {}
    flat_names: dict[str, str] = {}
    changes: dict[tuple[object, ...], str] = {}
    for path in files(root):
        try:
            mutant = load(path)
        except Failure as e:
            yield str(e)
            continue
        where = f'mutants/{mutant.name}'
        if not NAME.fullmatch(mutant.name):
            yield f'{where}: wanted a name of small letters, digits and dashes'
        if not belongs(mutant):
            yield (f'{where}: {" and ".join(mutant.tests())} must notice it, '
                   f'and no tdx_{mutant.folder}_test')
        twins = (subjects.setdefault(mutant.subject, mutant.name),
                 flat_names.setdefault(mutant.flat_name, mutant.name),
                 changes.setdefault(change(path), mutant.name))
        for twin, what in zip(twins, ('subject', 'name without a folder', 'change')):
            if twin != mutant.name:
                yield f'{where}: has the {what} of {twin}'


def check_suite(built: Suite) -> Iterator[str]:
    """Each pattern matches a case of the built suite."""
    for path in files():
        try:
            load(path).run_cases(built.cases_of)
        except Failure as e:
            yield str(e)
