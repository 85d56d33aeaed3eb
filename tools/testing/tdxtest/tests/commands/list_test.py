# SPDX-License-Identifier: GPL-2.0-only
"""Tests of list.py: what it prints, and that it builds no kernel for it."""

import contextlib
import io
import tempfile
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.guest import stages
from tdxtest.tree import suite, td_tests

TEST = 'tdx_map_gpa_test'


class List(unittest.TestCase):

    def listed(self, *words):
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(program.main(['list', '--build', folder, *words]), 0)
        return out.getvalue().splitlines()

    def test_tests(self):
        with mock.patch.object(stages, 'fetch', side_effect=AssertionError):
            self.assertEqual(self.listed(), [*suite.names(), *td_tests.NAMES])

    def test_cases_need_no_kernel(self):
        built = suite.Suite(mock.Mock(), mock.Mock(), '/nowhere')
        with mock.patch.object(stages, 'fetch'), \
                mock.patch.object(stages, 'compile_kernel', side_effect=AssertionError), \
                mock.patch.object(stages, 'compile_suite', return_value=built) as compiled, \
                mock.patch.object(suite.Suite, 'cases', return_value=['f.one', 'f.two']):
            self.assertEqual(self.listed(TEST, 'tdx_io_test:two'),
                             [f'{TEST}:f.one', f'{TEST}:f.two', 'tdx_io_test:f.two'])
            compiled.assert_called_once()
            self.assertEqual(compiled.call_args.args[1], [TEST, 'tdx_io_test'])

    def test_cases_of_a_td_need_no_suite(self):
        with mock.patch.object(stages, 'fetch'), \
                mock.patch.object(stages, 'compile_suite', side_effect=AssertionError):
            self.assertEqual(self.listed('td_reboot', 'td_power_off:hlt'),
                             [*(f'td_reboot:{case}' for case in td_tests.cases('td_reboot')),
                              'td_power_off:td.hlt'])
