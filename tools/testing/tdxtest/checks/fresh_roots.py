# SPDX-License-Identifier: GPL-2.0-only
"""make run, td and check work from nothing on fresh Debian systems, as the README says.

Each row is a new system: one user's commands, in the order that a person may run them
in. The first one begins with no package, no source and no build. It takes half an hour
and 6 GB for each, and a TD with two CPUs as long again.

The environment variable FRESH_ROOTS names some of the rows, such as "trixie-user".
Without it a row that passed within the last day, on the same files, is left out.
"""

import dataclasses
import hashlib
import json
import os
import re
import shlex
import shutil
import time
from collections.abc import Iterator

from tdxtest.base import apt, command, root
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.checking import NotHere, When
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT
from tdxtest.guest.stages import Built
from tdxtest.tree import project

NAME = 'fresh roots'
WHEN = When.LONG
ENVIRONMENT = 'FRESH_ROOTS'
# What a person needs to come this far: a clone of the project, and make.
PACKAGES = ('ca-certificates', 'git', 'make', 'sudo')
USER = 'tester'
SOURCE = '/mnt/project'
PASS = re.compile(r'PASS: \d+ passed, .*')
# What make adds to the last line of what it ran.
OF_MAKE = re.compile(r'make(\[\d+\])?: ')
DAY_S = 24 * 60 * 60


@dataclasses.dataclass(frozen=True)
class Row:
    """A system: a suite of Debian, a user, and what make is called with, call by call."""

    suite: str
    user: str
    goals: tuple[str, ...]
    umask: str = '022'
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return f'{self.suite}-{"root" if self.user == "root" else "user"}'

    def home(self) -> str:
        return '/root' if self.user == 'root' else os.path.join('/home', self.user)


# Root has no locale, and a umask that hides its files from other users.
ROWS = tuple(row for suite in ('bookworm', 'trixie', 'testing') for row in (
    Row(suite, USER, ('run', 'td', 'td SMP=2', 'check')),
    Row(suite, 'root', ('check', 'run'), '077', (('LC_ALL', 'POSIX'),))))


def chosen(names: str) -> tuple[Row, ...]:
    """The rows that have one of the words in their names; all without a word."""
    rows = tuple(row for row in ROWS if not names or any(n in row.name for n in names.split()))
    if not rows:
        raise UsageError(f'{ENVIRONMENT}={names}: there are '
                         + ', '.join(row.name for row in ROWS))
    return rows


def digest(names: list[str]) -> str:
    """Changes with any file of the project."""
    state = hashlib.sha256()
    for name in names:
        with open(os.path.join(PROJECT, name), 'rb') as f:
            data = f.read()
        state.update(f'{name} {len(data)}\n'.encode() + data)
    return state.hexdigest()


def clone(folder: str, names: list[str], log: str) -> None:
    """A clone of the project with the files as they stand here, committed or not."""
    shutil.rmtree(folder, ignore_errors=True)
    command.run(['git', '-c', f'safe.directory={PROJECT}/.git', 'clone', '-q', '--no-hardlinks',
                 PROJECT, folder], log, what='git clone')
    for name in command.output(['git', '-C', folder, 'ls-files', '-z']).split('\0'):
        if name and name not in names:
            os.unlink(os.path.join(folder, name))
    for name in names:
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(PROJECT, name), target)


def verdict(said: str) -> str:
    """The line of a command's output that tells how it ended."""
    lines = [line.strip() for line in said.splitlines()
             if line.strip() and not OF_MAKE.match(line)]
    return lines[-1] if lines else 'no output'


def prepare(base: root.Root, row: Row, source: str) -> root.Root:
    """A copy of a base with the project in its user's home."""
    fresh = base.copy(f'fresh-{row.name}')
    log = fresh.build.log('roots')
    # As an installer leaves it; sudo looks its machine up.
    fresh.run(['sh', '-c', 'echo "127.0.0.1 localhost $(uname -n)" > /etc/hosts'], log)
    if row.user != 'root':
        fresh.add_user(row.user)
    fresh.run(['sh', '-c', f'cp -r {SOURCE} project && chown -R "$1": project', 'sh', row.user],
              log, cwd=row.home(), mounts=[root.Mount(source, SOURCE)])
    return fresh


def run_goal(fresh: root.Root, row: Row, goal: str) -> Iterator[str]:
    """Run make GOAL; gives what is wrong."""
    build, what = fresh.build, f'make {goal}'
    log = build.log(f'fresh-{row.name}-{goal}'.replace(' ', '-'))
    with open(log, 'w', encoding='utf-8'):
        pass
    begin, failed = time.monotonic(), False
    script = f'umask {row.umask}; exec make {shlex.join(goal.split())}'
    with build.progress.step('fresh', f'{row.name}: {what}; log: {log}',
                             lambda: command.last_line(log)):
        try:
            fresh.run(['sh', '-c', script], log, what=what, user=row.user,
                      cwd=os.path.join(row.home(), 'project'), env=dict(row.environment))
        except Failure:
            failed = True
    with open(log, encoding='utf-8', errors='replace') as f:
        got = verdict(f.read())
    build.progress.say(f'fresh: {row.name}: {what}: {got}, after '
                       f'{time.monotonic() - begin:.0f} s')
    if failed or not PASS.fullmatch(got):
        yield (f'{row.name}: {what}: wanted status 0 and a last line "PASS: N passed, ...", '
               f'got {"another status" if failed else "status 0"} and "{got}" (log: {log}; '
               f'the system is left in {fresh.folder})')


def try_row(build: Build, row: Row, source: str) -> Iterator[str]:
    base = root.make(build, f'fresh-base-{row.suite}', row.suite, PACKAGES)
    fresh = prepare(base, row, source)
    wrong = [line for goal in row.goals for line in run_goal(fresh, row, goal)]
    if not wrong:
        fresh.remove()
    yield from wrong


class Passed:
    """When which row passed on which files, so that a run that was ended goes on."""

    def __init__(self, path: str, files: str):
        self.path = path
        self.files = files

    def load(self) -> dict[str, float]:
        try:
            with open(self.path, encoding='utf-8') as f:
                kept = json.load(f)
        except (FileNotFoundError, ValueError):
            return {}
        passed: dict[str, float] = kept['passed'] if kept['files'] == self.files else {}
        return passed

    def add(self, row: Row) -> None:
        kept = {'files': self.files, 'passed': {**self.load(), row.name: time.time()}}
        write_if_changed(self.path, json.dumps(kept, indent=1).encode())

    def lately(self, row: Row) -> bool:
        return time.time() - self.load().get(row.name, 0) < DAY_S


def check(built: Built) -> Iterator[str]:
    build = built.build
    names = os.environ.get(ENVIRONMENT, '')
    rows = chosen(names)
    why = root.unavailable()
    if why:
        raise NotHere(why)
    apt.ensure_installed(build.progress, build.log('apt'), 'check-long')
    files = project.files()
    passed = Passed(build.path('roots', 'fresh-passed.json'), digest(files))
    source = build.path('roots', 'fresh-project')
    clone(source, files, build.log('roots'))
    for row in rows:
        if not names and passed.lately(row):
            build.progress.say(f'fresh: {row.name}: passed on these files today')
            continue
        wrong = list(try_row(build, row, source))
        if not wrong:
            passed.add(row)
        yield from wrong
