# SPDX-License-Identifier: GPL-2.0-only
"""What git knows of a bisection: which one it is, its ends, and the sources of a commit."""

import os
import shutil
import subprocess

from tdxtest.base import command
from tdxtest.base.failure import Failure

GOOD, BAD = 'good', 'bad'


def git(*words: str) -> str:
    return command.output(['git', *words]).strip()


def session_key() -> str:
    """Tells one bisection from the next, '' outside of any."""
    path = git('rev-parse', '--git-path', 'BISECT_START')
    try:
        return f'{os.path.abspath(path)} {os.stat(path).st_mtime_ns}\n'
    except FileNotFoundError:
        return ''


def ends() -> list[tuple[str, str]]:
    """[(GOOD or BAD, commit)] that the person has named so far. Failure outside of a bisection."""
    if not session_key():
        raise Failure('--check-ends: no bisection is going on; begin with git bisect start')
    good, bad = (git('bisect', 'terms', f'--term-{word}') for word in (GOOD, BAD))
    found = []
    for row in git('for-each-ref', '--format=%(objectname) %(refname:lstrip=2)',
                   'refs/bisect').splitlines():
        commit, name = row.split(' ', 1)
        if name == bad:
            found.append((BAD, commit))
        elif name.startswith(f'{good}-'):
            found.append((GOOD, commit))
    missing = {GOOD, BAD} - {word for word, _ in found}
    if missing:
        raise Failure(f'--check-ends: no {" and no ".join(sorted(missing))} commit is named')
    return sorted(found, reverse=True)


def extract(commit: str, folder: str) -> None:
    """Put the files of a commit into a folder, and nothing into the checkout.

    What is the same in the checkout gets its time, so that only the rest is copied and built.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with subprocess.Popen(['git', 'archive', '--format=tar', commit], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=command.environment()) as archive:
        done = subprocess.run(['tar', '-x', '-C', folder], stdin=archive.stdout, check=False,
                              env=command.environment(), capture_output=True)
    if archive.returncode or done.returncode:
        raise Failure(f'git archive {commit[:12]} failed')
    top = git('rev-parse', '--show-toplevel')
    changed = set(git('diff', '--name-only', '-z', commit).split('\0'))
    for base, _, names in os.walk(folder):
        for target in (os.path.join(base, name) for name in names):
            path = os.path.relpath(target, folder)
            if path not in changed:
                info = os.lstat(os.path.join(top, path))
                os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns), follow_symlinks=False)
