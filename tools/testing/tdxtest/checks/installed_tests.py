# SPDX-License-Identifier: GPL-2.0-only
"""The installed programs pass in a guest, and print nothing but KTAP.

The one exception is the text that the selftest library prints for an assertion that fails,
as in a case of a finding, which is expected to.
"""

import dataclasses
import os
import re
from collections.abc import Iterable, Iterator

from tdxtest.base.checking import When
from tdxtest.guest import runs
from tdxtest.guest.stages import Built
from tdxtest.tree import kselftest, suite
from tdxtest.verdict import ktap

NAME = 'installed tests in a guest'
WHEN = When.LONG
# What the text of an assertion of the library begins with; it ends before a line of KTAP.
ASSERTION = '==== Test Assertion Failure ===='
KTAP = re.compile(r'\s*(#.*|(not )?ok \d+.*|1\.\.\d+.*|K?TAP version \d+)?')


class Installed(suite.Suite):
    """The programs of a kselftest installation."""

    def program(self, name: str) -> str:
        return os.path.join(self.out, 'kvm', name)


def not_ktap(lines: Iterable[str]) -> list[str]:
    """The distinct lines that are no KTAP. The line that ends the guest does not count."""
    wrong, in_assertion = set(), False
    for line in lines:
        if line.strip() == ASSERTION:
            in_assertion = True
        elif KTAP.fullmatch(line):
            in_assertion = False
        elif not in_assertion and ktap.RESTART not in line:
            wrong.add(line.strip())
    return [f'no KTAP: {line!r}' for line in sorted(wrong)]


def check(built: Built) -> Iterator[str]:
    folder = built.build.path('kselftest_install')
    kselftest.make(built.build, built.suite.work, 'install', folder)
    installed = Installed(built.build, built.suite.work, folder)
    done = runs.run_tests(dataclasses.replace(built, suite=installed), installed.select([]))
    yield from done.verdict.problems
    for guest in done.guests:
        with open(guest.console_path, encoding='utf-8', errors='replace') as f:
            lines = f.read().splitlines()
        yield from not_ktap(lines[lines.index('KTAP version 1'):] if
                            'KTAP version 1' in lines else ['no KTAP at all'])
