# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the check of command lines in the documentation."""

import unittest

from tdxtest.checks import options_page, page_commands
from tdxtest.verdict import pages


class CommandLines(unittest.TestCase):
    def page(self, line):
        return pages.parse('x.md', f'`{line}`')

    def test_command_and_option(self):
        def wrong(line):
            return list(page_commands.wrong_tool(self.page(line), options_page.parsers()))

        self.assertEqual(wrong("x/tdxtest.py run --jobs=1 -v 'a:b*'"), [])
        self.assertEqual(wrong('tdxtest.py COMMAND --help'), [])
        self.assertIn('no command walk', wrong('tdxtest.py walk')[0])
        self.assertIn('run does not take --shell', wrong('tdxtest.py run --shell')[0])

    def test_make(self):
        def wrong(line):
            return list(page_commands.wrong_make(self.page(line)))

        self.assertEqual(wrong('$ make run TESTS=a DEBUG=1'), [])
        self.assertIn('no walk', wrong('make walk')[0])
        self.assertIn('no CPU', wrong('make run CPU=2')[0])
