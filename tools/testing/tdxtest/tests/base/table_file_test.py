# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of table_file.py."""

import os
import tempfile
import unittest

from tdxtest.base import table_file


class TableFile(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = os.path.join(scratch.name, 'table.tsv')
        with open(self.path, 'w', encoding='utf-8') as f:
            f.write('# a comment\n\n  \na b\tc\t\n #d\te')

    def test_comments_and_empty_lines_are_left_out(self):
        self.assertEqual(table_file.lines(self.path), ['a b\tc\t', ' #d\te'])

    def test_tabs_separate_columns(self):
        self.assertEqual(table_file.rows(self.path), [['a b', 'c', ''], [' #d', 'e']])


if __name__ == '__main__':
    unittest.main()
