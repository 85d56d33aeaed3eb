# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check that builds each patch: what a patch builds, and where a series ends."""

import io
import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.checks import series_builds
from tdxtest.tree.patchset import Step

KVM = 'tools/testing/selftests/kvm'
LIBRARY = Step('Add cpus', '', [f'{KVM}/lib/x86/tdx/tdx_cpus.c'])
TEST = Step('Test HLT', '', [f'{KVM}/x86/tdx_hlt_test.c'])
PAGE = Step('Describe it', '', ['Documentation/virt/kvm/x86/tdx-selftests.rst'])


class Builds(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.out = io.StringIO()
        self.built = mock.Mock(progress=Progress(self.out))
        self.goals, self.broken = [], ''
        self.enterContext(mock.patch.object(series_builds, 'suite_folder'))
        self.enterContext(mock.patch.object(series_builds.command, 'run', self.make))
        self.replay = series_builds.Replay(self.built, [], os.path.join(self.folder, 'tree'))
        self.makefile('include Makefile.tdx\n')

    def makefile(self, text):
        write_if_changed(os.path.join(self.replay.folder, KVM, 'Makefile.kvm'), text.encode())

    def make(self, argv, _log, **_more):
        goals = [os.path.relpath(word, self.replay.out) for word in argv
                 if word.startswith(self.replay.out)]
        self.goals.append(goals)
        if self.broken and f'x86/{self.broken}' in goals:
            raise Failure('make failed: no such header')

    def build(self, *steps):
        return list(series_builds.build_suite(self.built, steps, self.replay))

    def test_a_patch_builds_its_own_test_and_one_that_has_the_whole_library(self):
        self.assertEqual(self.build(LIBRARY, TEST, PAGE), [])
        other = series_builds.OTHER_TEST
        self.assertEqual(self.goals, [[other], [other, 'x86/tdx_hlt_test']])

    def test_no_test_of_tdx_before_the_makefile_knows_them(self):
        self.makefile('')
        self.build(TEST)
        self.assertEqual(self.goals, [[series_builds.OTHER_TEST]])

    def test_the_first_patch_that_does_not_build_is_the_last(self):
        self.broken = 'tdx_hlt_test'
        self.assertEqual(self.build(TEST, LIBRARY), ['Test HLT: make failed: no such header'])
        self.assertEqual(len(self.goals), 1)

    def test_each_patch_is_told(self):
        self.build(LIBRARY, TEST)
        self.assertIn('series: Test HLT: 2 of 2\n', self.out.getvalue())
