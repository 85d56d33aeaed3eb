# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the programs that the first step of a bisection builds, and the others keep."""

import os
import tempfile
import types
import unittest
from unittest import mock

from tdxtest.base.build_folder import write_if_changed
from tdxtest.commands import bisect

KEY = 'one bisection\n'


class Kept(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.built = []
        self.enterContext(mock.patch.object(bisect.stages, 'compile_suite', self.compile))

    def compile(self, _laid, names):
        self.built.append(list(names))
        made = types.SimpleNamespace(program=lambda name: os.path.join(self.folder, 'new', name))
        for name in names:
            write_if_changed(made.program(name), b'program')
        return made

    def step(self, *tests, key=KEY):
        laid = mock.Mock()
        laid.request.boot.tests = tuple((test, '') for test in tests)
        laid.generation.return_value.name = 'merged'
        return bisect.kept_suite(laid, os.path.join(self.folder, 'kept'), key)

    def test_the_first_step_builds_what_is_named(self):
        programs, generation = self.step('a_test', 'b_test', 'a_test')
        self.assertEqual(self.built, [['a_test', 'b_test']])
        self.assertTrue(os.path.exists(programs.program('b_test')))
        self.assertEqual(generation, 'merged')

    def test_the_others_keep_it(self):
        for _ in range(3):
            self.step('a_test')
        self.assertEqual(len(self.built), 1)

    def test_another_bisection_or_test_builds_again(self):
        self.step('a_test')
        self.step('a_test', key='another\n')
        self.step('c_test', key='another\n')
        self.assertEqual(self.built, [['a_test'], ['a_test'], ['c_test']])
