# SPDX-License-Identifier: GPL-2.0-only
"""The tests and cases of the suite, and a choice of them."""

import os
import tempfile
import textwrap
import unittest
from unittest import mock

from tdxtest.base.failure import UsageError
from tdxtest.tree import suite


class Selection(unittest.TestCase):
    SYMBOLS = textwrap.dedent('''\
        00000000004d2a10 T _dl_find_object
        0000000000481330 T _dl_mcount_wrapper
        00000000004e1000 d _map_gpa_fixture_object
        00000000004e1010 d _map_gpa_eagain_first_object
        00000000004e1030 R _map_gpa_eagain_first_variant
        00000000004e1060 d _map_gpa_run_fixture_object
        0000000000403000 t wrapper_map_gpa_exits
        0000000000403010 t wrapper_map_gpa_exits_teardown
        0000000000403020 t wrapper_map_gpa_twice
        0000000000403030 t wrapper_map_gpa_twice_teardown
        0000000000403040 t wrapper_map_gpa_run_again
        0000000000403050 t wrapper_map_gpa_run_again_teardown
        0000000000403060 t wrapper_one_vcpu
        ''')

    def test_cases_of_a_harness_program(self):
        self.assertEqual(suite.parse_symbols(self.SYMBOLS),
                         ['global.one_vcpu', 'map_gpa.eagain_first.exits',
                          'map_gpa.eagain_first.twice', 'map_gpa_run.again'])

    def test_functions_that_are_called_from_other_objects(self):
        said = ('/o/lib/kvm_util.o:                 U ucall_init\n'
                '/o/lib/x86/tdx/tdx_libkvm.o:                 U __real_ucall\n'
                '/o/lib/kvm_util.o:                 w weak\n')
        self.assertEqual(suite.called_across(said), {'ucall_init', 'weak'})

    def test_names_in_the_makefile(self):
        text = ('TEST_GEN_PROGS_TDX = x86/a_test \\\n\tx86/b_test\n'
                'TEST_GEN_PROGS_TDX += x86/c_test\n')
        self.assertEqual(suite.names(text), ['a_test', 'b_test', 'c_test'])

    def test_objects_of_other_flags_go(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'suite')
            suite.forget_other_flags(out, '-O2')
            old = os.path.join(out, 'a.o')
            with open(old, 'wb'):
                pass
            suite.forget_other_flags(out, '-O2')
            self.assertTrue(os.path.exists(old))
            suite.forget_other_flags(out, '-O3')
            self.assertFalse(os.path.exists(old))

    def test_an_unknown_test(self):
        with mock.patch.object(suite, 'names', return_value=['a_test']):
            self.assertEqual(suite.parse_selection('a_test:x*'), [('a_test', 'x*')])
            with self.assertRaisesRegex(UsageError, 'no such test; there are: a_test'):
                suite.parse_selection('b_test')

    def test_a_pattern_chooses_by_any_part(self):
        chooser = suite.Suite.__new__(suite.Suite)
        with mock.patch.object(suite.Suite, 'cases', return_value=['f.eagain.t', 'f.einval.t']):
            self.assertEqual(chooser.select([('a_test', 'ea*')]),
                             [('a_test', ['-r', 'f.eagain.t'])])
            with self.assertRaisesRegex(UsageError, 'no case matches'):
                chooser.select([('a_test', 'nothing')])
