# SPDX-License-Identifier: GPL-2.0-only
"""Builds the KVM selftests of the suite, as static programs, and knows their names."""

import fnmatch
import os
import re
import subprocess

import command
from build import PROJECT
from failure import UsageError

FOLDER = 'tools/testing/selftests/kvm'
MAKEFILE = os.path.join(FOLDER, 'Makefile.tdx')
LIST = 'TEST_GEN_PROGS_TDX'
GOAL = 'tdx_tests'


def names(text=None):
    """The tests that Makefile.tdx lists, by their base names, in its order."""
    if text is None:
        try:
            with open(os.path.join(PROJECT, MAKEFILE), encoding='utf-8') as f:
                text = f.read()
        except FileNotFoundError:
            return []
    text = text.replace('\\\n', ' ')
    words = re.findall(rf'^{LIST}\s*[:+?]?=\s*(.*?)\s*(?:#.*)?$', text, re.MULTILINE)
    return [os.path.basename(w) for w in ' '.join(words).split()]


def parse_list(text):
    """Case ids "fixture.variant.test" from what a harness program prints for -l.

    Its table leaves a column empty where it repeats the row above, and joins
    fixture and variant when there is no variant.
    """
    cases = []
    fixture = variant = ''
    for line in text.splitlines():
        if line.startswith(('#', '-')) or not line.strip():
            continue
        columns = [line[:20].strip(), line[20:46].strip(), line[46:].strip()]
        if not columns[2] or ' ' in ''.join(columns):
            columns = ([''] * 3 + line.split())[-3:]
        if columns[0]:
            fixture, variant = columns[0], columns[1]
        elif columns[1]:
            variant = columns[1]
        cases.append('.'.join(w for w in (fixture, variant, columns[2]) if w))
    return cases


def parse_selection(text):
    """ "a_test b_test:case*" -> [("a_test", ""), ("b_test", "case*")]."""
    chosen = []
    for word in text.replace(',', ' ').split():
        name, _, pattern = word.partition(':')
        if name not in names():
            raise UsageError(f'TESTS={word}: no such test; there are: '
                             + (', '.join(names()) or 'none'))
        chosen.append((name, pattern))
    return chosen


class Suite:
    """The suite built against the headers of one work tree."""

    def __init__(self, build, kernel):
        self.build = build
        self.kernel = kernel
        self.work = kernel.work
        self.out = self.work.out('suite')

    def compile(self):
        """Build what changed; only the programs of the suite."""
        if not names():
            self.build.progress.say('suite: there are no tests yet')
            return
        os.makedirs(self.out, exist_ok=True)
        with self.build.progress.step('suite', f'building {len(names())} test program(s)'):
            self.kernel.make('headers', log='suite')
            # LDFLAGS by the environment: the Makefile adds to it.
            command.run(['make', '-C', os.path.join(self.work.tree, FOLDER), f'OUTPUT={self.out}',
                         f'KHDR_INCLUDES=-isystem {self.kernel.out}/usr/include',
                         f'-j{os.cpu_count() or 1}', GOAL],
                        self.build.log('suite'), env={'LDFLAGS': '-static', 'ARCH': 'x86'},
                        what=f'make {GOAL}')

    def program(self, name):
        return os.path.join(self.out, 'x86', name)

    def cases(self, name):
        """The case ids of a built test. They are listed without running any."""
        result = subprocess.run([self.program(name), '-l'], capture_output=True, text=True,
                                check=False, stdin=subprocess.DEVNULL)
        return parse_list(result.stderr)

    def select(self, selection):
        """[(name, [arguments])] for parse_selection()'s choice; all when empty."""
        if not selection:
            return [(name, []) for name in names()]
        tests = []
        for name, pattern in selection:
            if not pattern:
                tests.append((name, []))
                continue
            # One part of "fixture.variant.test" names the case well enough.
            found = [c for c in self.cases(name)
                     if fnmatch.fnmatchcase(c, pattern) or
                     any(fnmatch.fnmatchcase(part, pattern) for part in c.split('.'))]
            if not found:
                raise UsageError(f'TESTS={name}:{pattern}: no case matches; '
                                 f'tdxtest.py list {name} names them')
            tests.append((name, [word for case in found for word in ('-r', case)]))
        return tests
