# SPDX-License-Identifier: GPL-2.0-only
"""Builds the KVM selftests of the suite and knows their names."""

import fnmatch
import os
import re
import shutil
from collections.abc import Iterable, Sequence

from tdxtest.base import command
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT
from tdxtest.base.progress import LogLines, Meter
from tdxtest.tree import td_tests
from tdxtest.tree.kernel import Tree
from tdxtest.tree.work_tree import WorkTree

FOLDER = 'tools/testing/selftests/kvm'
MAKEFILE = os.path.join(FOLDER, 'Makefile.tdx')
LIST = 'TEST_GEN_PROGS_TDX'
# Programs that run by their name only: they measure, they do not test.
EXTENDED_LIST = 'TEST_GEN_PROGS_EXTENDED_TDX'
# Functions of the selftest library that the linker replaces where the library calls them.
REPLACED_LIST = 'WRAP_LIBKVM_TDX'
GOAL = 'tdx_tests'
# The memset() of the selftests clears all of a VM's memory byte by byte. With vectors the
# suite takes a quarter less time. The program is copied into the TD's memory page by page.
# Without the functions that it does not call it has a third of the pages. Functions of the C
# library are looked up once, not again in the process of each case.
EXTRA_CFLAGS = ('-O2 -ftree-vectorize -fvect-cost-model=dynamic '
                '-ffunction-sections -fdata-sections -Wl,--gc-sections '
                '-fno-asynchronous-unwind-tables -Wl,-z,noseparate-code -Wl,-z,now')
# With a base folder ccache writes relative targets into the rules of dependencies. make
# takes them for other files than the absolute ones, and rebuilds nothing after an edit of
# a header.
ENVIRONMENT = {'ARCH': 'x86', 'CCACHE_BASEDIR': ''}
FIXTURE = re.compile(r'_(\w+)_fixture_object')
VARIANT = re.compile(r'_(\w+)_variant')
TEST = re.compile(r'wrapper_(\w+)')
# (name, [arguments]) of each test.
Tests = Sequence[tuple[str, list[str]]]


def names(text: str | None = None, name: str = LIST) -> list[str]:
    """The tests that Makefile.tdx lists, by their base names, in its order."""
    if text is None:
        try:
            with open(os.path.join(PROJECT, MAKEFILE), encoding='utf-8') as f:
                text = f.read()
        except FileNotFoundError:
            return []
    text = text.replace('\\\n', ' ')
    words = re.findall(rf'^{name}\s*[:+?]?=\s*(.*?)\s*(?:#.*)?$', text, re.MULTILINE)
    return [os.path.basename(w) for w in ' '.join(words).split()]


def parse_symbols(text: str) -> list[str]:
    """Case ids "fixture.variant.test" from what nm prints of a harness program.

    A program without TDX skips before it looks at -l, so that the machine that
    builds it cannot ask it. The macros of kselftest_harness.h leave objects
    _FIXTURE_fixture_object and _FIXTURE_VARIANT_variant, and a function
    wrapper_FIXTURE_TEST, or wrapper_TEST for a test without a fixture.
    """
    symbols = {row[2] for row in map(str.split, text.splitlines()) if len(row) == 3}
    # A fixture's name may start with another's: the longest one that fits.
    fixtures = sorted((m[1] for m in map(FIXTURE.fullmatch, symbols) if m),
                      key=len, reverse=True)
    variants: dict[str, list[str]] = {fixture: [] for fixture in fixtures}
    tests = []

    def split(name: str) -> tuple[str, str]:
        fixture = next((f for f in fixtures if name.startswith(f + '_')), '')
        return fixture, name[len(fixture) + 1:] if fixture else name

    for symbol in symbols:
        variant, test = VARIANT.fullmatch(symbol), TEST.fullmatch(symbol)
        if variant and split(variant[1])[0]:
            fixture, name = split(variant[1])
            variants[fixture].append(name)
        elif test and symbol.removesuffix('_teardown') not in symbols - {symbol}:
            tests.append(split(test[1]))
    cases = [['global', name] if not fixture else [fixture, variant, name]
             for fixture, name in tests for variant in variants.get(fixture) or ['']]
    return sorted('.'.join(filter(None, case)) for case in cases)


def parse_selection(text: str) -> list[tuple[str, str]]:
    """ "a_test b_test:case*" -> [("a_test", ""), ("b_test", "case*")]."""
    chosen = []
    for word in text.replace(',', ' ').split():
        name, _, pattern = word.partition(':')
        if name not in (*names(), *names(name=EXTENDED_LIST), *td_tests.NAMES):
            raise UsageError(f'TESTS={word}: no such test; there are: '
                             + (', '.join(names()) or 'none'))
        chosen.append((name, pattern))
    return chosen


def forget_other_flags(folder: str, flags: str) -> None:
    """Empty a folder of objects that other flags made: make does not see the difference."""
    stamp = os.path.join(folder, 'tdxtest-flags')
    try:
        with open(stamp, encoding='utf-8') as f:
            same = f.read() == flags
    except FileNotFoundError:
        same = False
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
    write_if_changed(stamp, flags.encode())


def called_across(said: str) -> set[str]:
    """The functions that objects call which other objects have, from what nm -A -u prints.

    The objects of the suite's own library do not count.
    """
    rows = (line.rpartition(':') for line in said.splitlines())
    return {row[2].split()[-1] for row in rows if row[2].split() and '/lib/x86/tdx/' not in row[0]}


class Suite:
    """The suite built in one work tree, with that tree's selftest library.

    headers: the tree whose uAPI headers it is built with; out: where its objects go.
    """

    def __init__(self, build: Build, work: WorkTree, out: str = '',
                 headers: Tree | None = None) -> None:
        self.build = build
        self.work = work
        self.out = out or work.out('suite')
        self.headers: Tree = headers or work
        self._cases: dict[str, list[str] | None] = {}

    def compile(self, wanted: Sequence[str] = ()) -> None:
        """Build what changed; only the programs of the suite, or those that are wanted."""
        if not names():
            self.build.progress.say('suite: there are no tests yet')
            return
        forget_other_flags(self.out, EXTRA_CFLAGS)
        jobs = f'-j{os.cpu_count() or 1}'
        log = self.build.log('suite')
        goals = [self.program(name) for name in wanted] or [GOAL]
        with self.build.progress.step('suite', f'building {len(wanted or names())} '
                                      'test program(s)', meter=Meter(LogLines(log), 'objects')):
            command.run(['make', '-C', self.headers.tree, f'O={self.headers.out("headers")}', jobs,
                         'headers'], log, what='make headers')
            # The programs are linked dynamically: they are copied into the TD's memory, and
            # a static libc would make that four times the pages.
            command.run([*self.make(self.out), jobs, *goals], log, env=ENVIRONMENT,
                        what=f'make {os.path.basename(goals[0])}')
            if self.work.source.pristine:
                self._check_replaced()

    def _check_replaced(self) -> None:
        """Failure when the library does not call a function that the suite replaces.

        The linker replaces calls between objects (tdx_libkvm.h). It says nothing of a
        function that a library calls within an object, or not at all.
        """
        sources = os.path.join(self.work.tree, FOLDER)
        # The file of an object may be gone since the last build.
        objects = [os.path.join(folder, name) for folder, _, found in os.walk(self.out)
                   for name in found if name.endswith('.o') and
                   os.path.exists(os.path.join(sources, os.path.relpath(folder, self.out),
                                               f'{name[:-2]}.c'))]
        called = called_across(command.output(['nm', '-A', '-u', *objects]))
        lost = [name for name in names(name=REPLACED_LIST) if name not in called]
        if lost:
            raise Failure(f'the selftest library calls {lost[0]}() in a way that the suite cannot '
                          'replace')

    def make(self, out: str, flags: str = EXTRA_CFLAGS) -> list[str]:
        """The start of a make command for the suite, with products in the folder `out`."""
        headers = self.headers.out('headers', 'usr', 'include')
        return ['make', '-C', os.path.join(self.work.tree, FOLDER), f'OUTPUT={out}',
                f'KHDR_INCLUDES=-isystem {headers}', f'EXTRA_CFLAGS={flags}']

    def program(self, name: str) -> str:
        return os.path.join(self.out, 'x86', name)

    def cases(self, name: str) -> list[str]:
        """The case ids of a built test. They are listed without running any."""
        if name in td_tests.NAMES:
            return td_tests.cases(name)
        return parse_symbols(command.output(['nm', self.program(name)]))

    def cases_of(self, name: str) -> list[str] | None:
        """The case ids of a test, None for a name that is none."""
        if name not in self._cases:
            known = (*names(), *td_tests.NAMES)
            self._cases[name] = self.cases(name) if name in known else None
        return self._cases[name]

    def select(self, selection: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
        """[(name, [arguments])] for parse_selection()'s choice; all when empty."""
        if not selection:
            return [(name, []) for name in names()]
        tests: list[tuple[str, list[str]]] = []
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
