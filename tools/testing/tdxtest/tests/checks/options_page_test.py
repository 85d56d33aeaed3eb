# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the check of the pages of commands and options."""

import unittest
from unittest import mock

from tdxtest.checks import options_page
from tdxtest.tree import project


class OptionsPage(unittest.TestCase):
    def wrong(self, before, after, page=options_page.OPTIONS_PAGE,
              wrong=options_page.wrong_options):
        """What the check says of the page after a change of its text."""
        text = project.text_of(page)
        self.assertIn(before, text)
        return list(wrong(text.replace(before, after, 1)))

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
        page = (options_page.PAGE, options_page.wrong_commands)
        self.assertIn('wanted command reload', self.wrong('``reload``      load', 'load', *page)[0])
        self.assertIn('wanted variable CPUS', self.wrong('``CPUS``  ', '``CPUZ``  ', *page)[0])

    def test_line_names_the_page(self):
        with mock.patch.object(project, 'text_of', lambda name: ''):
            lines = list(options_page.check(None))
        self.assertTrue(any(line.startswith(f'{options_page.PAGE}: wanted command')
                            for line in lines))
        self.assertTrue(any(line.startswith(f'{options_page.OPTIONS_PAGE}: wanted ``--cpus N``')
                            for line in lines))
