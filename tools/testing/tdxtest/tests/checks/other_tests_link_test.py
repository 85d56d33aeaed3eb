# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check that other tests can be linked with the library."""

import unittest

from tdxtest.checks import other_tests_link

SAID = """\
tdx_ucall.o:                 U ucall_init
tdx_ucall.o:                 w __real_ucall_init
tdx_ucall.o:                 U __wrap_ucall
"""


class Needed(unittest.TestCase):

    def test_what_is_weak_or_not_replaced_may_be_undefined(self):
        self.assertEqual(list(other_tests_link.needed(SAID)), [])

    def test_what_only_tests_of_tdx_have(self):
        wrong = list(other_tests_link.needed(SAID.replace('w __real', 'U __real')))
        self.assertEqual(len(wrong), 1)
        self.assertIn('lib/x86/tdx/tdx_ucall.o: needs __real_ucall_init,', wrong[0])

    def test_a_symbol_of_the_linker_script(self):
        said = 'tdx_image.o:                 U tdx_host_end\n'
        wrong = list(other_tests_link.needed(SAID + said))
        self.assertEqual(len(wrong), 1)
        self.assertIn('lib/x86/tdx/tdx_image.o: needs tdx_host_end,', wrong[0])
