# SPDX-License-Identifier: GPL-2.0-only
"""Tests of changes.py: what a change moves, and the functions it touches."""

import unittest

from tdxtest.tree import changes

BEFORE = b'''int x;

static int a(void)
{
\treturn 1;
}

int b(int i)
{
\ti++;
\ti--;
\treturn i;
}
'''


class Lines(unittest.TestCase):

    def test_moved(self):
        after = BEFORE.replace(b'int x;\n', b'int x;\nint y;\n')
        moved = changes.lines_before(BEFORE, after)
        self.assertEqual((moved[1], moved.get(2), moved[3], moved[14]), (1, None, 2, 13))

    def test_files_that_come_and_go(self):
        self.assertEqual(changes.lines_before(None, BEFORE), {})
        self.assertEqual(changes.lines_before(BEFORE, None), {})


class Functions(unittest.TestCase):

    def check(self, want, old, new):
        self.assertIn(old, BEFORE)
        self.assertEqual(changes.changed_functions(BEFORE, BEFORE.replace(old, new)), want)

    def test_a_line_that_differs(self):
        self.check({'a'}, b'return 1', b'return 2')
        self.check({'b'}, b'int i)', b'int i)\n')
        self.check(set(), b'int x;', b'int y;')

    def test_a_line_that_is_gone(self):
        self.check({'b'}, b'\ti--;\n', b'')
        self.check({'b'}, b'\ti++;\n', b'')

    def test_a_whole_file(self):
        self.assertEqual(changes.changed_functions(None, BEFORE), {'a', 'b'})
        self.assertEqual(changes.changed_functions(BEFORE, None), set())
