# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the fresh systems: what is run there, and what is made of it."""

import io
import os
import subprocess
import tempfile
import time
import unittest
from unittest import mock

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress
from tdxtest.checks import fresh_roots

PASS = 'PASS: 903 passed, 0 failed, 102 skipped (Linux 7.3.4)'
FAIL = 'FAIL: 902 passed, 1 failed, 102 skipped, 1 problem(s) (Linux 7.3.4)'
ROW = fresh_roots.Row('trixie', 'tester', ('run', 'check'))


class Root:
    """In the place of root.Root: what a command there says and ends with."""

    folder = 'roots/fresh-trixie-user'

    def __init__(self, build, ends):
        self.build = build
        self.ends = ends        # {goal of make: (what it says, whether it fails)}
        self.ran = []
        self.removed = False

    def copy(self, _name):
        return self

    def add_user(self, name):
        self.ran.append(f'useradd {name}')

    def remove(self):
        self.removed = True

    def run(self, argv, log, **_how):
        self.ran.append(argv[-1])
        goal = argv[-1].rpartition(' ')[2]
        said, fails = self.ends.get(goal, ('', False))
        with open(log, 'a', encoding='utf-8') as f:
            f.write(f'$ make {goal}\n{said}\n')
        if fails:
            raise Failure('make failed')


class Rows(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.out = io.StringIO()
        self.build = Build(self.folder, Progress(self.out))
        self.addCleanup(self.build.close)
        self.passed = fresh_roots.Passed(self.build.path('passed.json'), 'digest')

    def wrong(self, **ends):
        """(the Root, lines that are wrong) of a row whose commands end so."""
        fresh = Root(self.build, {'run': (PASS, False), 'check': (PASS, False), **ends})
        with mock.patch.object(fresh_roots.root, 'make', lambda *_: fresh):
            return fresh, list(fresh_roots.try_row(self.build, ROW, '/source'))

    def test_both_pass(self):
        fresh, wrong = self.wrong()
        self.assertEqual(wrong, [])
        self.assertTrue(fresh.removed)
        self.assertEqual(fresh.ran[-2:], ['umask 022; exec make run', 'umask 022; exec make check'])
        self.assertIn('useradd tester', fresh.ran)
        self.assertRegex(self.out.getvalue(),
                         rf'fresh: trixie-user: make run: {PASS[:20]}.*, after 0 s')

    def test_words_of_make_and_the_name_of_the_log(self):
        row = fresh_roots.Row('trixie', 'tester', ('td SMP=2',))
        fresh = Root(self.build, {'SMP=2': (PASS, False)})
        self.assertEqual(list(fresh_roots.run_goal(fresh, row, *row.goals)), [])
        self.assertEqual(fresh.ran, ['umask 022; exec make td SMP=2'])
        self.assertTrue(os.path.exists(self.build.log('fresh-trixie-user-td-SMP=2')))

    def check_red(self, got, **ends):
        fresh, wrong = self.wrong(**ends)
        self.assertEqual(len(wrong), 1, wrong)
        self.assertFalse(fresh.removed)
        self.assertIn(got, wrong[0])
        self.assertIn('wanted status 0 and a last line "PASS: ', wrong[0])
        self.assertRegex(wrong[0], r'log: \S+/fresh-trixie-user-(run|check)\.log; the system is '
                         'left in roots/fresh-trixie-user')

    def test_what_is_red(self):
        self.check_red(f'another status and "{FAIL}"', run=(FAIL, True))
        self.check_red(f'another status and "{PASS}"', check=(PASS, True))
        said = 'tdxtest: make tdx_tests failed: a.c:1: error: no b'
        of_make = 'make: *** [Makefile:1: run-tool] Error 125'
        self.check_red(f'"{said}"', run=(f'{said}\n{of_make}', True))
        # A status of 0 alone shows nothing.
        self.check_red('status 0 and "nothing to do"', run=('nothing to do', False))
        self.check_red('FAIL: 1 check(s) above', check=(f'{PASS}\nFAIL: 1 check(s) above', False))

    def test_a_row_that_passed_is_left_out(self):
        self.assertFalse(self.passed.lately(ROW))
        self.passed.add(ROW)
        self.assertTrue(self.passed.lately(ROW))
        self.assertFalse(self.passed.lately(fresh_roots.Row('testing', 'root', ())))
        with mock.patch.object(time, 'time', lambda: 1e11):
            self.assertFalse(self.passed.lately(ROW))
        other = fresh_roots.Passed(self.passed.path, 'other files')
        self.assertFalse(other.lately(ROW))


class Choice(unittest.TestCase):
    def test_rows(self):
        names = [row.name for row in fresh_roots.chosen('')]
        self.assertEqual(len(names), 6)
        self.assertEqual([row.name for row in fresh_roots.chosen('trixie bookworm-root')],
                         ['bookworm-root', 'trixie-user', 'trixie-root'])
        with self.assertRaisesRegex(UsageError, 'FRESH_ROOTS=sarge: there are bookworm-user, '):
            fresh_roots.chosen('sarge')


class Clone(unittest.TestCase):
    def test_the_files_are_those_that_stand_here(self):
        with tempfile.TemporaryDirectory() as folder:
            here, there = os.path.join(folder, 'here'), os.path.join(folder, 'there')
            git = ['git', '-C', here, '-c', 'user.name=A', '-c', 'user.email=a@example.com']
            for words in (['git', 'init', '-q', here],):
                subprocess.run(words, check=True)
            for name in ('kept', 'changed', 'deleted'):
                with open(os.path.join(here, name), 'w', encoding='utf-8') as f:
                    f.write('old')
            for words in (['add', '-A'], ['commit', '-q', '-m', 'one']):
                subprocess.run([*git, *words], check=True)
            os.unlink(os.path.join(here, 'deleted'))
            for name in ('changed', 'new'):
                with open(os.path.join(here, name), 'w', encoding='utf-8') as f:
                    f.write('new')
            with mock.patch.object(fresh_roots, 'PROJECT', here):
                fresh_roots.clone(there, ['changed', 'kept', 'new'], os.path.join(folder, 'log'))
            found = {}
            for name in sorted(set(os.listdir(there)) - {'.git'}):
                with open(os.path.join(there, name), encoding='utf-8') as f:
                    found[name] = f.read()
        self.assertEqual(found, {'changed': 'new', 'kept': 'old', 'new': 'new'})
