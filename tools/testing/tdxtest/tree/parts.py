# SPDX-License-Identifier: GPL-2.0-only
"""The project as several series that can be posted, from the table in parts.txt."""

import dataclasses
import fnmatch
import os
import re
from collections.abc import Collection, Iterable, Sequence

from tdxtest.base import command
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT, TABLES
from tdxtest.tree import patchset, series
from tdxtest.tree.patchset import Step
from tdxtest.tree.series import Version
from tdxtest.tree.work_tree import WorkTree

TABLE = os.path.join(TABLES, 'parts.txt')
HEADER = re.compile(r'(Part|Cover|Kind|After|Tests|Patches):\s+(.*)')
KINDS = ('fixes', 'module', 'suite')
# What a list reads in one go.
MOST = 20
TEST_FOLDER = 'tools/testing/selftests/kvm/x86/'
SUITE_FOLDER = 'tools/testing/selftests/kvm/'


@dataclasses.dataclass(frozen=True)
class Part:
    """A record of the table."""

    name: str
    cover: str
    kind: str
    text: str
    after: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    patches: tuple[str, ...] = ()


@dataclasses.dataclass
class Piece:
    """A series: a part, or one of the pieces of a long one. before: what must be there."""

    name: str
    part: Part
    steps: list[Step]
    before: list[Step]
    number: int = 1
    count: int = 1


def load(path: str = TABLE) -> list[Part]:
    """The Parts of the table. Failure names the record that is wrong."""
    with open(path, encoding='utf-8') as f:
        records = f.read().split('\n---\n')
    found: list[Part] = []
    for record in records:
        lines = [line for line in record.split('\n') if not line.startswith('#')]
        headers = {match[1]: match[2] for match in map(HEADER.fullmatch, lines) if match}
        text = '\n'.join(line for line in lines if not HEADER.fullmatch(line)).strip() + '\n'
        name = headers.get('Part', '?')
        if not {'Part', 'Cover', 'Kind'} <= set(headers) or headers['Kind'] not in KINDS:
            raise Failure(f'parts.txt: {name}: wanted Part, Cover and a Kind of {", ".join(KINDS)}')
        after = tuple(headers.get('After', '').split())
        unknown = set(after) - {part.name for part in found}
        if unknown:
            raise Failure(f'parts.txt: {name}: comes after {min(unknown)}, which is not before it')
        found.append(Part(name, headers['Cover'], headers['Kind'], text, after,
                          tuple(headers.get('Tests', '').split()),
                          tuple(headers.get('Patches', '').split())))
    return found


def includes(paths: Iterable[str]) -> set[str]:
    """The stems of the headers that files of the project include."""
    found = set()
    for path in paths:
        with open(os.path.join(PROJECT, path), encoding='utf-8') as f:
            found.update(patchset.INCLUDE.findall(f.read()))
    return found


def library_of(test: Iterable[str], library: dict[str, list[str]]) -> list[str]:
    """The stems of the library that a test needs, each after those that it needs itself."""
    order: list[str] = []

    def add(names: Iterable[str], above: tuple[str, ...]) -> None:
        for name in sorted(names):
            if name in library and name not in order and name not in above:
                add(includes(library[name]), (*above, name))
                order.append(name)

    add(includes(test), ())
    return order


def with_library(step: Step, stems: Sequence[str], library: dict[str, list[str]],
                 said: dict[str, str]) -> Step:
    """A test's patch with the files of the library that no patch before it has."""
    if not stems:
        return step
    told = '\n'.join(f'  {stem}: {said[stem]}' for stem in stems)
    return Step(step.subject, f'{step.text.rstrip()}\n\nAdd what it needs to the library:\n\n'
                f'{told}\n', [*step.files, *(path for stem in stems for path in library[stem])])


def stem_of(step: Step) -> str:
    """The stem of the test that a patch adds, '' if it adds none."""
    tests = [path for path in step.files if path.startswith(f'{TEST_FOLDER}tdx_')]
    return patchset.stem(tests[0]) if tests else ''


def rank(stem: str, patterns: Sequence[str]) -> int:
    """The place of the first pattern that a stem matches, past the end for none."""
    return next((at for at, pattern in enumerate(patterns) if fnmatch.fnmatch(stem, pattern)),
                len(patterns))


class Cutter:
    """Cuts the patches of the whole project into the parts."""

    def __init__(self, version: Version) -> None:
        steps, wrong = patchset.plan(version)
        if wrong:
            raise Failure(wrong[0])
        rows = series.load(os.path.join(PROJECT, 'patches'))
        self.fixes = [Step('', '', [], row.file) for row in rows
                      if row.kind == 'fix' and row.kernels.holds(version)]
        self.suite = [step for step in steps if is_suite(step)]
        self.module = [step for step in steps if not is_suite(step)]
        self.parts = load()
        self._said = {name: text for record in patchset.load() if record.kind() == 'Each'
                      for name, text in patchset.of_stems(record).items()}

    def steps(self) -> dict[str, list[Step]]:
        """{name of a part: its patches}."""
        found = {part.name: list(self.fixes if part.kind == 'fixes' else self.module)
                 for part in self.parts if part.kind != 'suite'}
        found.update(self._suite())
        return found

    def _suite(self) -> dict[str, list[Step]]:
        parts = [part for part in self.parts if part.kind == 'suite']
        rows = [step for step in self.suite if step.patch]
        tests = {stem_of(step): step for step in self.suite if stem_of(step)}
        docs = [step for step in self.suite
                if all(path.startswith('Documentation/') for path in step.files) and step.files]
        # One file of the library for each patch that adds nothing else; the first of the
        # others is what every TD needs.
        others = [step for step in self.suite if step not in (*rows, *docs, *tests.values())]
        base, library = others[0], {patchset.stem(step.files[0]): step.files
                                    for step in others[1:]}
        said = {**self._said, **{stem: f'{others[1].subject.split(": ")[-1]}' for stem in library
                                 if stem not in self._said}}
        found: dict[str, list[Step]] = {}
        present: set[str] = set()
        for part in parts:
            mine = [step for step in rows
                    if rank(step.patch, part.patches) < len(part.patches)]
            rows = [step for step in rows if step not in mine]
            if not found:
                mine = in_order([*mine, base], self.suite)
            chosen = [(rank(stem, part.tests), stem) for stem in tests]
            for _, stem in sorted(row for row in chosen if row[0] < len(part.tests)):
                step = tests.pop(stem)
                needs = [name for name in library_of(step.files, library) if name not in present]
                present.update(needs)
                mine.append(with_library(step, needs, library, said))
            found[part.name] = mine
        unused = [step for step in others[1:] if patchset.stem(step.files[0]) not in present]
        found[parts[-1].name] += [*unused, *rows, *tests.values(), *docs]
        return found

    def pieces(self) -> list[Piece]:
        """All series, each of at most MOST patches."""
        steps = self.steps()
        found: list[Piece] = []
        for part in self.parts:
            mine = steps[part.name]
            before = [step for name in part.after for step in steps[name]]
            starts = range(0, len(mine), MOST)
            for number, start in enumerate(starts, 1):
                name = part.name if number == 1 else f'{part.name}-{number}'
                found.append(Piece(name, part, mine[start:start + MOST], before + mine[:start],
                                   number, len(starts)))
        return found

    def piece(self, name: str) -> Piece:
        """The series of a name. UsageError for one that there is not."""
        pieces = self.pieces()
        for piece in pieces:
            if piece.name == name:
                return piece
        raise UsageError(f'--part {name}: there are: {", ".join(p.name for p in pieces)}')


def is_suite(step: Step) -> bool:
    """True for a patch of the suite, False for one of the module."""
    paths = step.files or list(series.touched(patchset.read_patch(step.patch)))
    return any(path.startswith((SUITE_FOLDER, 'tools/testing/selftests/', 'Documentation/virt/'))
               for path in paths)


def in_order(steps: Collection[Step], all_steps: Iterable[Step]) -> list[Step]:
    """Steps in the order of the whole series."""
    return [step for step in all_steps if step in steps]


def tests_in(piece: Piece) -> list[str]:
    """The tests that a series adds."""
    return [stem for step in piece.steps if (stem := stem_of(step))]


def commit_of(checkout: str) -> str:
    """The commit that a person's tree is at, '' if it is no git tree or has changes."""
    if not checkout or not os.path.exists(os.path.join(checkout, '.git')):
        return ''
    git = ['git', '-c', f'safe.directory={checkout}', '-C', checkout]
    if command.output([*git, 'status', '--porcelain', '-uno'], check=False,
                      env={'GIT_OPTIONAL_LOCKS': '0'}).strip():
        return ''
    return command.output([*git, 'rev-parse', 'HEAD'], check=False).strip()


def blurb(piece: Piece, version: str, tested: str) -> str:
    """The text of a cover letter: why, what it depends on, and what was run."""
    parts = [patchset.wrapped(piece.part.text)]
    if piece.count > 1:
        parts.append(f'This is piece {piece.number} of {piece.count}.\n')
    needs = [*piece.part.after, *([f'piece {piece.number - 1}'] if piece.number > 1 else [])]
    parts.append(patchset.wrapped(
        f'It depends on {" and ".join(needs)}, which {"are" if len(needs) > 1 else "is"} posted '
        'before it.' if needs else 'It depends on no other series.'))
    parts.append(patchset.wrapped(tested))
    parts.append(f'Applies to Linux {version}.')
    return '\n'.join(parts)


def make(work: WorkTree, piece: Piece, folder: str, author: str, version: int,
         tested: str) -> list[str]:
    """Write a piece into `folder`; gives the paths, cover first. tested: what was run on what."""
    paths = patchset.write_series(work, piece.steps, piece.before, folder, author, version,
                                  '--base=BASE')
    patchset.write_cover(paths[0], piece.part.cover, blurb(piece, work.source.version, tested))
    # git knows the commit of a scratch repository only.
    base = commit_of(work.source.pristine)
    with open(paths[0], encoding='utf-8') as f:
        text = f.read()
    text = re.sub(r'^base-commit: .*$', f'base-commit: {base}' if base else
                  f'base: the tag v{work.source.version} of Linux', text, flags=re.MULTILINE)
    with open(paths[0], 'w', encoding='utf-8') as f:
        f.write(text)
    return paths
