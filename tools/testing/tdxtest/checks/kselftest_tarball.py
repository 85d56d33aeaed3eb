# SPDX-License-Identifier: GPL-2.0-only
"""Checks the kselftest tarball as a CI system uses it, on a machine without TDX."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.guest import image
from tdxtest.guest.stages import Built
from tdxtest.tree import kselftest, suite

NAME = 'kselftest tarball'
WHEN = When.BOOT
# A machine without TDX must not wait for tests that cannot run.
SKIP_SECONDS = 1
RETRIES = 2
EXIT_SKIP = 4
SKIPPED = re.compile(r'1\.\.0 # SKIP (?:- )?(.+)')
# What run_kselftest.sh may write: the output of a test is nested as comments.
RUNNER = re.compile(r'TAP version 13|1\.\.\d+|#.*|(?P<result>ok \d+ selftests: kvm: (\S+) # SKIP)')
FILES = ('run_kselftest.sh', 'kselftest-list.txt', 'kselftest/runner.sh',
         'kselftest/ktap_helpers.sh', 'kvm/config', 'kvm/settings')


def run(argv: Sequence[str], folder: str) -> tuple[int, str, float]:
    """(status, standard output, seconds) of a program run in `folder`."""
    begin = time.monotonic()
    done = subprocess.run(argv, cwd=folder, text=True, stdin=subprocess.DEVNULL, errors='replace',
                          capture_output=True, env=command.environment(), check=False)
    return done.returncode, done.stdout, time.monotonic() - begin


def check_layout(folder: str, names: Sequence[str]) -> Iterator[str]:
    """The files of a kselftest installation, and the list of its tests."""
    for name in FILES:
        if not os.path.isfile(os.path.join(folder, name)):
            yield f'{name} is not in the tarball'
    with open(os.path.join(folder, 'kselftest-list.txt'), encoding='utf-8') as f:
        listed = f.read().split()
    if sorted(listed) != sorted(f'kvm:{name}' for name in names):
        yield f'kselftest-list.txt: wanted the tests of the suite, got {listed}'
    for name in names:
        if not image.is_static(os.path.join(folder, 'kvm', name)):
            yield f'{name}: wanted a static program, got one that needs a loader'


def check_skips(folder: str, names: Sequence[str]) -> Iterator[str]:
    """Each test alone: exit status 4, at once, one reason, and nothing but KTAP."""
    reasons = set()
    for name in names:
        status, out, seconds = run([os.path.join(folder, 'kvm', name)], folder)
        match = SKIPPED.fullmatch(out.strip().removeprefix('TAP version 13\n'))
        if status != EXIT_SKIP or not match:
            yield (f'{name}: wanted exit status {EXIT_SKIP} and "1..0 # SKIP reason", '
                   f'got {status} and {out!r}')
        else:
            reasons.add(match[1])
        # A machine that is busy with something else may be late once.
        for _ in range(RETRIES):
            if seconds > SKIP_SECONDS:
                seconds = run([os.path.join(folder, 'kvm', name)], folder)[2]
        if seconds > SKIP_SECONDS:
            yield f'{name}: skips after {seconds:.1f} s, wanted {SKIP_SECONDS} at most'
    if len(reasons) > 1:
        yield f'wanted one reason to skip, got {sorted(reasons)}'


def check_runner(folder: str, names: Sequence[str]) -> Iterator[str]:
    """run_kselftest.sh over all of them: results of each, and nothing but KTAP."""
    status, out, _ = run(['./run_kselftest.sh', '-c', 'kvm'], folder)
    if status:
        yield f'run_kselftest.sh: wanted exit status 0, got {status}'
    lines = [(line, RUNNER.fullmatch(line)) for line in out.splitlines()]
    for line, match in lines:
        if not match:
            yield f'run_kselftest.sh: no KTAP, or no skip: {line!r}'
    reported = sorted(match[2] for _, match in lines if match and match['result'])
    if reported != sorted(names):
        yield f'run_kselftest.sh: wanted a result of each test, got those of {reported}'


def offers_tds(folder: str, names: Sequence[str]) -> bool:
    """Whether this machine has TDX: the tests would run, and skips cannot be checked."""
    return run([os.path.join(folder, 'kvm', names[0]), '-r', 'no.such.case'],
               folder)[0] != EXIT_SKIP


def check(built: Built) -> Iterator[str]:
    """The tarball of tdxtest.py package; gives lines that are wrong."""
    names = suite.names()
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='package-') as folder:
        path = kselftest.tarball(built.build, built.suite.work, built.work.source.name, folder)
        command.run(['tar', '-xf', path, '-C', folder], built.build.log('package'))
        os.unlink(path)
        yield from check_layout(folder, names)
        if offers_tds(folder, names):
            built.progress.say('package: this machine has TDX; not checking how tests skip')
            return
        yield from check_skips(folder, names)
        yield from check_runner(folder, names)
