# SPDX-License-Identifier: GPL-2.0-only
"""The project as a patch series for git am, from the table in patchset.txt."""

import dataclasses
import fnmatch
import os
import re
import tempfile
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT, TABLES
from tdxtest.tree import series, work_tree
from tdxtest.tree.series import Version
from tdxtest.tree.work_tree import WorkTree

TABLE = os.path.join(TABLES, 'patchset.txt')
HEADERS = ('Cover', 'Patches', 'Subject', 'Each', 'Files', 'Optional')
HEADER = re.compile(rf'({"|".join(HEADERS)}):\s+(.*)')
WIDTH = 72
# The stem of a file that a file of the project includes.
INCLUDE = re.compile(r'^#include "(?:\S*/)?(\w+)\.\w+"', re.MULTILINE)
# Makefiles that list files: each patch has only the rows of files that exist after it.
ROW_LISTS = ('tools/testing/selftests/kvm/Makefile.tdx',)
OBJECT_LISTS = ('arch/x86/virt/vmx/tdx/sim/Makefile',)


@dataclasses.dataclass
class Record:
    """A record of the table: its headers, and the text below them."""

    line: int
    headers: dict[str, str]
    text: str

    def kind(self) -> str:
        return next(h for h in ('Cover', 'Patches', 'Subject', 'Each') if h in self.headers)


@dataclasses.dataclass
class Step:
    """One patch of the series."""

    subject: str
    text: str
    files: list[str]        # of the overlay, that it adds
    patch: str = ''         # relative to patches/, instead of subject and files


def load(path: str = TABLE) -> list[Record]:
    """The Records of the table. Failure names the line that is wrong."""
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')
    records: list[Record] = []
    headers: dict[str, str] = {}
    text: list[str] = []
    start = 1
    for number, line in enumerate([*lines, '---'], 1):
        match = HEADER.fullmatch(line)
        if line == '---':
            if sum(h in headers for h in ('Cover', 'Patches', 'Subject', 'Each')) != 1:
                raise Failure(f'patchset.txt:{start}: wanted one of Cover, Patches, Subject, Each')
            records.append(Record(start, headers, '\n'.join(text).strip() + '\n'))
            headers, text, start = {}, [], number + 1
        elif match and not any(text):
            headers[match[1]] = match[2]
        elif not line.startswith('#') or any(text):
            text.append(line)
    return records


def of_stems(record: Record) -> dict[str, str]:
    """{stem: what its patch does} of an Each record."""
    return dict(line.split(': ', 1) for line in record.text.splitlines() if ': ' in line)


def head_comment(path: str) -> str:
    """What the comment at the head of a C file says, for a changelog."""
    with open(os.path.join(PROJECT, path), encoding='utf-8') as f:
        match = re.search(r'/\*(?!\s*SPDX)(.*?)\*/', f.read(), re.DOTALL)
    if not match:
        raise Failure(f'{path}: wanted a comment at its head that says what it is for')
    lines = [re.sub(r'^\s*\* ?', '', line).rstrip() for line in match[1].split('\n')]
    return wrapped('\n'.join(lines))


def wrapped(text: str) -> str:
    """A text in lines of WIDTH. What is indented is a table or code, and stays as it is."""
    return '\n\n'.join(p.expandtabs() if re.search(r'^[ \t]', p, re.MULTILINE) else
                       textwrap.fill(p, WIDTH, break_on_hyphens=False, break_long_words=False,
                                     fix_sentence_endings=True)
                       for p in text.strip().split('\n\n')) + '\n'


def stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def by_stem(paths: Iterable[str]) -> list[tuple[str, list[str]]]:
    """[(stem, paths)], each after the stems that its files include."""
    groups: dict[str, list[str]] = {}
    for path in sorted(paths):
        groups.setdefault(stem(path), []).append(path)
    order = []

    def add(name: str, above: tuple[str, ...] = ()) -> None:
        if name in order or name in above:
            return
        for path in groups[name]:
            with open(os.path.join(PROJECT, path), encoding='utf-8') as f:
                for other in INCLUDE.findall(f.read()):
                    if other in groups:
                        add(other, (*above, name))
        order.append(name)

    for name in groups:
        add(name)
    return [(name, groups[name]) for name in order]


def plan(version: Version, records: Sequence[Record] | None = None,
         overlay: Iterable[str] | None = None) -> tuple[list[Step], list[str]]:
    """The Steps for a kernel version, and lines that are wrong with the table."""
    records = load() if records is None else records
    left = set(work_tree.overlay_files() if overlay is None else overlay)
    rows = [p.file for p in series.chosen(series.load(os.path.join(PROJECT, 'patches')), version)]
    steps, wrong = [], []
    for record in records:
        where = f'patchset.txt:{record.line}'
        kind = record.kind()
        if kind == 'Cover':
            continue
        if kind == 'Patches':
            wanted = record.headers['Patches']
            files = [f for f in rows if fnmatch.fnmatch(f, wanted) or f.startswith(wanted + '/')]
            rows = [f for f in rows if f not in files]
            steps += [Step('', '', [], f) for f in files]
        else:
            patterns = record.headers.get('Files', '').split()
            files = sorted(f for f in left if any(fnmatch.fnmatch(f, p) for p in patterns))
            left -= set(files)
            if kind == 'Each':
                told = of_stems(record)
                groups = by_stem(files)
                steps += [Step(record.headers['Each'].replace('{}', told.get(name, name)),
                               head_comment(group[0]), group) for name, group in groups]
                wrong += [f'{where}: does not say what the patch of {name} does'
                          for name, _group in groups if name not in told]
                wrong += [f'{where}: {name} is the stem of no file'
                          for name in told if name not in dict(groups)]
            elif files:
                steps.append(Step(record.headers['Subject'], record.text, files))
        if not files and 'Optional' not in record.headers:
            wrong.append(f'{where}: nothing is left for {record.headers[kind]!r}')
    wrong += [f'{path}: is in no patch of patchset.txt' for path in sorted(left)]
    wrong += [f'patches/{file}: is in no patch of patchset.txt' for file in rows]
    return steps, wrong


def rows_of(text: str, present: Collection[str]) -> str:
    """A makefile's text without the rows "LIST += PATH" of files that are not there."""
    def keep(line: str) -> bool:
        match = re.match(r'\w+ \+= ([\w./]+)$', line)
        return not match or any(p in present for p in (match[1], f'{match[1]}.c'))
    return '\n'.join(line for line in text.split('\n') if keep(line))


def objects_of(text: str, present: Collection[str]) -> str:
    """A kbuild makefile's text without objects whose source is not there."""
    composite = {match[1] for line in text.split('\n')
                 if (match := re.match(r'(\w+)-y [:+]?= (.*)', line)) and match[1] != 'obj'
                 and any(f'{w[:-2]}.c' in present for w in match[2].split())}

    def filtered(line: str) -> str | None:
        match = re.match(r'(\S+ [:+]?= )((?:[\w/]+\.o ?)+)$', line)
        if not match:
            return line
        words = [w for w in match[2].split() if w[:-2] in composite or
                 f'{w[:-2]}.c' in present or f'{w[:-2]}.S' in present]
        return match[1] + ' '.join(words) if words else None
    lines = [filtered(line) for line in text.split('\n')]
    return '\n'.join(line for line in lines if line is not None)


def content(path: str, present: Collection[str]) -> bytes:
    """The bytes of an overlay file when only the files `present` are there."""
    data = work_tree.content(os.path.join(PROJECT, path))
    lister = rows_of if path in ROW_LISTS else objects_of if path in OBJECT_LISTS else None
    if not lister:
        return data
    folder = os.path.dirname(path) + '/'
    near = {p.removeprefix(folder) for p in present if p.startswith(folder)}
    before = data.decode().split('\n\n')
    # A comment on rows that are left out is left out too.
    after = [p for p, whole in zip((lister(whole, near) for whole in before), before)
             if p == whole or any(line and not line.startswith('#') for line in p.split('\n'))]
    return ('\n\n'.join(after).rstrip('\n') + '\n').encode()


def identity(author: str) -> dict[str, str]:
    """{variable of git: value} of an author "NAME <MAIL>", '' for git's own settings."""
    if not author:
        name, mail = (command.output(['git', '-C', PROJECT, 'config', f'user.{key}'],
                                     check=False).strip() for key in ('name', 'email'))
        author = f'{name} <{mail}>'
    match = re.fullmatch(r'(\S.*?) <(\S+@\S+)>', author)
    if not match:
        raise UsageError("who signs the patches? set git's user.name and user.email, "
                         "or give --author 'NAME <MAIL>'")
    return {f'GIT_{who}_{what}': value for who in ('AUTHOR', 'COMMITTER')
            for what, value in (('NAME', match[1]), ('EMAIL', match[2]))}


class Repository:
    """A git repository with the files of a pristine kernel that the series touches."""

    def __init__(self, work: WorkTree, folder: str, steps: Iterable[Step], who: Mapping[str, str],
                 log: str) -> None:
        self.folder = folder
        self.log = log
        # A person's own settings must not decide what the patches look like.
        self.env = {**who, 'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_NOSYSTEM': '1'}
        self.git('init', '-q')
        touched = [path for step in steps if step.patch for path in
                   series.touched(read_patch(step.patch))]
        for path in sorted(set(touched)):
            self.write(path, work.original(path))
        self.commit(f'Linux {work.source.version}\n')
        self.base = self.git('rev-parse', 'HEAD').strip()

    def git(self, *words: str) -> str:
        return command.output(['git', '-C', self.folder, *words], env=self.env)

    def write(self, path: str, data: bytes) -> None:
        target = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, 'wb') as f:
            f.write(data)

    def commit(self, message: str, *options: str) -> None:
        self.git('add', '-A', '-f')
        file = os.path.join(self.folder, '.git', 'message')
        with open(file, 'w', encoding='utf-8') as f:
            f.write(message)
        command.run(['git', '-C', self.folder, 'commit', '-q', '--cleanup=verbatim', *options,
                     '-F', file], self.log, env=self.env)

    def apply(self, files: Iterable[str], *options: str) -> None:
        """git am of patch files, in order."""
        command.run(['git', '-C', self.folder, 'am', '-q', *options, *files], self.log,
                    env=self.env, what='git am')


def read_patch(file: str) -> str:
    return work_tree.content(os.path.join(PROJECT, 'patches', file)).decode(errors='replace')


def commit_all(repository: Repository, steps: Sequence[Step],
               present: set[str] | None = None) -> set[str]:
    """A commit for each step. present: the files of the overlay that are there; gives the same."""
    present = set() if present is None else present
    for step in steps:
        if step.patch:
            repository.apply([os.path.join(PROJECT, 'patches', step.patch)], '--signoff')
            continue
        present.update(step.files)
        lists = (p for p in ROW_LISTS + OBJECT_LISTS if p in present)
        for path in {*step.files, *lists}:
            repository.write(path, content(path, present))
        repository.commit(f'{step.subject}\n\n{wrapped(step.text)}', '--signoff')
    return present


def make(work: WorkTree, folder: str, author: str = '', version: int = 0) -> list[str]:
    """Write the series for a kernel into `folder`; gives the paths, cover first."""
    steps, wrong = plan(work.source.key())
    if wrong:
        raise Failure(wrong[0])
    paths = write_series(work, steps, (), folder, author, version)
    cover = next(r for r in load() if r.kind() == 'Cover')
    write_cover(paths[0], cover.headers['Cover'],
                f'{wrapped(cover.text)}\nApplies to Linux {work.source.version}.')
    return paths


def write_series(work: WorkTree, steps: Sequence[Step], before: Sequence[Step], folder: str,
                 author: str, version: int, *more: str) -> list[str]:
    """Write steps as patches into `folder`; gives the paths, a cover letter with blanks first.

    before: what they come after; more: options of git format-patch.
    """
    os.makedirs(folder, exist_ok=True)
    old = [n for n in os.listdir(folder) if n.endswith('.patch')]
    if old:
        raise UsageError(f'{folder} holds {old[0]} already; give an empty folder')
    with tempfile.TemporaryDirectory(dir=work.build.root, prefix='series-') as scratch:
        repository = Repository(work, scratch, [*before, *steps], identity(author),
                                work.build.log('series'))
        present = commit_all(repository, before)
        first = repository.git('rev-parse', 'HEAD').strip()
        commit_all(repository, steps, present)
        options = ['-v', str(version)] if version > 1 else []
        options += [word.replace('BASE', repository.base) for word in more]
        repository.git('format-patch', '-q', '--cover-letter', '-o', os.path.abspath(folder),
                       *options, first)
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith('.patch')]


def write_cover(path: str, subject: str, blurb: str) -> None:
    """Fill the blanks of a cover letter of git format-patch."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    text = text.replace('*** SUBJECT HERE ***', subject).replace('*** BLURB HERE ***', blurb)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
