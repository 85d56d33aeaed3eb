# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the check of the page of commands and options."""

import unittest

from tdxtest.checks import options_page
from tdxtest.tree import project


class OptionsPage(unittest.TestCase):
    def setUp(self):
        self.text = project.text_of(options_page.PAGE)

    def wrong(self, before, after):
        self.assertIn(before, self.text)
        return list(options_page.findings(self.text.replace(before, after, 1)))

    def test_option_without_an_entry(self):
        found = self.wrong('``--shell``\n', '')
        self.assertEqual(len(found), 1, found)
        self.assertIn('wanted ``--shell`` of boot', found[0])

    def test_entry_without_an_option(self):
        found = self.wrong('``--shell``\n', '``--shell``\n  Text.\n\n``--sell``\n')
        self.assertEqual(len(found), 1, found)
        self.assertIn('has ``--sell`` of boot', found[0])

    def test_value_of_an_option(self):
        self.assertEqual(len(self.wrong('``--cpus N``', '``--cpus``')), 2 * 12)

    def test_command_and_variable(self):
        self.assertIn('wanted command reload', self.wrong('``reload``      load', 'load')[0])
        self.assertIn('wanted variable CPUS', self.wrong('``CPUS``  ', '``CPUZ``  ')[0])
