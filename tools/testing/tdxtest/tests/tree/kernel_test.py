# SPDX-License-Identifier: GPL-2.0-only
"""Options of a kernel that got lost are named."""

import unittest

from tdxtest.tree import kernel


class Config(unittest.TestCase):
    def test_lost_options_are_named(self):
        wanted = kernel.parse_config('CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=n\nCONFIG_D=y\n')
        got = kernel.parse_config('CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n# CONFIG_D is not set\n')
        self.assertEqual(kernel.lost_options(wanted, got),
                         ['CONFIG_B: wanted m, got y', 'CONFIG_C: wanted n, got y',
                          'CONFIG_D: wanted y, got n'])

    def test_a_module_is_enough_for_a_selftest(self):
        self.assertEqual(kernel.lost_options({'KVM': 'y'}, {'KVM': 'm'}, True), [])
        self.assertEqual(len(kernel.lost_options({'KVM': 'y'}, {}, True)), 1)

    def test_an_absent_option_is_off(self):
        self.assertEqual(kernel.lost_options({'A': 'n'}, {}), [])
