# SPDX-License-Identifier: GPL-2.0-only
"""Tests of bisect --check-ends, in a small repository whose kernels are not built."""

import contextlib
import io
import os
import subprocess
import tempfile
import types
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.commands import bisect
from tdxtest.guest import bisection, stages
from tdxtest.guest.request import Request
from tdxtest.tree import source

TEST = 'tdx_map_gpa_test'


class Ends(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        checkout = os.path.join(self.folder, 'linux')
        os.makedirs(checkout)
        self.enterContext(contextlib.chdir(checkout))
        for stream in ('redirect_stdout', 'redirect_stderr'):
            self.enterContext(getattr(contextlib, stream)(io.StringIO()))
        self.git('init', '-q')
        write_if_changed('./arch/Kconfig', b'config A\n')
        os.utime('arch/Kconfig', (1000, 1000))
        self.commits = []
        for number in range(3):
            write_if_changed('./Makefile', f'VERSION = 7\nPATCHLEVEL = 3\n'
                             f'SUBLEVEL = {number}\n'.encode())
            self.git('add', '.')
            self.git('-c', 'user.name=n', '-c', 'user.email=e@example.com', 'commit', '-q', '-m',
                     str(number))
            self.commits.append(bisection.git('rev-parse', 'HEAD'))

    def git(self, *words):
        subprocess.run(['git', *words], check=True, capture_output=True)

    def test_the_commits_that_were_named(self):
        with self.assertRaisesRegex(Failure, 'no bisection is going on'):
            bisection.ends()
        self.git('bisect', 'start')
        self.git('bisect', 'bad', self.commits[2])
        with self.assertRaisesRegex(Failure, 'no good commit is named'):
            bisection.ends()
        self.git('bisect', 'good', self.commits[0])
        self.assertEqual(bisection.ends(), [('good', self.commits[0]), ('bad', self.commits[2])])

    def test_other_terms(self):
        self.git('bisect', 'start', '--term-old=slow', '--term-new=fast')
        self.git('bisect', 'fast', self.commits[2])
        self.git('bisect', 'slow', self.commits[0])
        self.assertEqual(bisection.ends(), [('good', self.commits[0]), ('bad', self.commits[2])])

    def test_sources_of_a_commit(self):
        before = {name: os.stat(name).st_mtime_ns for name in os.listdir('.')}
        place = os.path.join(self.folder, 'end')
        bisection.extract(self.commits[0], place)
        self.assertEqual(source.makefile_version(place), '7.3.0')
        self.assertEqual({name: os.stat(name).st_mtime_ns for name in os.listdir('.')}, before)
        # Only what differs from the checkout is newer, and copied.
        self.assertEqual(os.stat(os.path.join(place, 'arch/Kconfig')).st_mtime, 1000)
        self.assertNotEqual(os.stat(os.path.join(place, 'Makefile')).st_mtime_ns,
                            before['Makefile'])
        with self.assertRaisesRegex(Failure, 'git archive 0123 failed'):
            bisection.extract('0123', place)

    def tried(self, results):
        """What check_ends() does if the ends have these results; the commits that it tries."""
        self.git('bisect', 'start', self.commits[2], self.commits[0])
        build = Build(os.path.join(self.folder, 'build'), Progress(io.StringIO()))
        work = mock.Mock(source=source.Source('x', '7.3.1', 'here', os.getcwd()))
        laid = stages.Laid(Request(), build, work)
        args = types.SimpleNamespace()
        versions = []

        def attempt(_args, other, _programs, commit):
            versions.append((other.work.source.version, other.work.source.name, commit))
            result = results[commit]
            if isinstance(result, Failure):
                raise result
            return result, 'why'

        with mock.patch.object(stages, 'lay', lambda laid: laid), \
                mock.patch.object(bisect, 'attempt_kernel', attempt):
            try:
                self.assertTrue(bisect.check_ends(args, laid, None, self.folder))
                # Once in a bisection.
                self.assertFalse(bisect.check_ends(args, laid, None, self.folder))
            finally:
                build.close()
        return versions

    def test_told_apart(self):
        good, bad = self.commits[0], self.commits[2]
        self.assertEqual(self.tried({good: bisect.EXIT_GOOD, bad: bisect.EXIT_BAD}),
                         [('7.3.0', 'x', good), ('7.3.2', 'x', bad)])

    def test_not_told_apart(self):
        good, bad = self.commits[0], self.commits[2]
        for results, text in (
                ({good: bisect.EXIT_GOOD, bad: bisect.EXIT_GOOD},
                 f'the bad commit {bad[:12]} is good by this test'),
                ({good: bisect.EXIT_BAD, bad: bisect.EXIT_BAD},
                 f'the good commit {good[:12]} is bad by this test'),
                ({good: Failure('make failed'), bad: bisect.EXIT_BAD},
                 f'the good commit {good[:12]} is skip by this test.*make failed')):
            with self.assertRaisesRegex(bisect.WrongEnds, text):
                self.tried(results)
            self.git('bisect', 'reset')

    def test_the_status_ends_the_bisection(self):
        with mock.patch.object(bisect, 'step', side_effect=bisect.WrongEnds('no')):
            status = program.main(['bisect', '--check-ends', '--build',
                                   os.path.join(self.folder, 'build'), TEST])
        self.assertEqual(status, 128)
