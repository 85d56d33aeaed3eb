# SPDX-License-Identifier: GPL-2.0-only
"""Checks the job files of ci/ with the checkers that are on this machine.

None is installed here: what is missing is said, and ci_jobs_all.py fetches it.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.base.paths import CI
from tdxtest.base.progress import Progress

NAME = 'CI job files'
WHEN = When.STATIC
# Debian's modules belong to Debian's Python, whichever the first in PATH is.
PYTHON = '/usr/bin/python3'
LOAD = 'import sys, yaml; data = yaml.safe_load(open(sys.argv[1], encoding="utf-8")); '
LAVA = LOAD + 'from lava_common.schemas import validate; validate(data)'

Checkers = Mapping[str, tuple[str, Sequence[str], Sequence[str]]]
# checker: (files that it is for, command that tells if it is there, its command line)
CHECKERS: Checkers = {
    'yaml':             ('', [PYTHON, '-c', 'import yaml'], [PYTHON, '-c', LOAD]),
    'yamllint':         ('', ['yamllint', '--version'],
                         ['yamllint', '-s', '-d', '{extends: default, rules: {document-start: '
                          'disable, truthy: {check-keys: false}, line-length: {max: 100}}}']),
    'lava_common':      ('lava-', [PYTHON, '-c', 'import lava_common.schemas'],
                         [PYTHON, '-c', LAVA]),
    'action-validator': ('github-', ['action-validator', '--help'], ['action-validator']),
}

# {path of a test definition: its parameters}, of github.com/Linaro/test-definitions at
# 4212946b414e of 2026-06-24. LAVA takes others without a word.
PARAMETERS = {
    'automated/linux/kselftest/kselftest.yaml': (
        'TST_CMDFILES', 'TST_CASENAME', 'TESTPROG', 'SKIP_INSTALL', 'SKIPLIST', 'TESTPROG_URL',
        'KSELFTEST_PATH', 'SKIPFILE', 'BOARD', 'BRANCH', 'ENVIRONMENT', 'ENV', 'SHARD_NUMBER',
        'SHARD_INDEX'),
}
GIVEN = re.compile(r'^( *)path: (\S+)\n\1parameters:\n((?:\1 +.*\n)+)', re.MULTILINE)


def unknown_parameters(name: str, text: str) -> Iterator[str]:
    """Lines on parameters in a job file that their test definition does not have."""
    for _, path, block in GIVEN.findall(text):
        if path not in PARAMETERS:
            yield f'ci/{name}: {path} is not in PARAMETERS'
            continue
        for given in re.findall(r'^ *(\w+):', block, re.MULTILINE):
            if given not in PARAMETERS[path]:
                yield f'ci/{name}: {path} takes no {given}'


def present(probe: Sequence[str]) -> bool:
    try:
        return subprocess.run(probe, capture_output=True, env=command.environment(),
                              check=False).returncode == 0
    except FileNotFoundError:
        return False


def complaints(checkers: Checkers, missing: Callable[[str], object]) -> Iterator[str]:
    """Lines that a checker of this machine, or the table of parameters, found wrong.

    missing: is told the name of each checker that is not there.
    """
    names = sorted(os.listdir(CI))
    for name in names:
        with open(os.path.join(CI, name), encoding='utf-8') as f:
            yield from unknown_parameters(name, f.read())
    for checker, (prefix, probe, argv) in checkers.items():
        if not present(probe):
            missing(checker)
            continue
        for name in (n for n in names if n.startswith(prefix)):
            done = subprocess.run([*argv, os.path.join(CI, name)], text=True,
                                  capture_output=True, env=command.environment(), check=False)
            if done.returncode:
                yield f'ci/{name}: {checker}: {command.telling(done.stdout + done.stderr)}'


def check(progress: Progress) -> Iterator[str]:
    """complaints() with the checkers that are here."""
    yield from complaints(CHECKERS, lambda name: progress.say(
        f'check: CI job files: without {name}, which is not here'))
