# SPDX-License-Identifier: GPL-2.0-only
"""Tests of c_source.py."""

import unittest

from tdxtest.tree import c_source

TEXT = '''\
#include "a.h"
#include <b.h>
/*
 * #include "not.h"
 */

struct row {
	int a;
};

static const struct row rows[] = {
	{ 1 },
};

int declared(int a, struct row *b);

/* Comment. */
static int __printf(2, 3) one(int a,
			      const char *format, ...)
{
	return called(a, "{ not_called(");
}

u64 two(void)
{
	if (1) {
		one(1);
	}
	return '{';
}

TEST_F(fixture,
       name)
{
}
'''


class Functions(unittest.TestCase):

    def test_names_and_lines(self):
        self.assertEqual([(f.name, f.first, f.last, f.is_static)
                          for f in c_source.functions(TEXT)],
                         [('one', 18, 22, True), ('two', 24, 30, False),
                          ('TEST_F(fixture, name)', 32, 35, False)])
        self.assertEqual([len(f) for f in c_source.functions(TEXT)], [5, 7, 4])

    def test_a_table_is_none(self):
        self.assertEqual(list(c_source.functions('static const int a[] =\n{\n\t1,\n};\n')), [])

    def test_includes(self):
        self.assertEqual(c_source.includes(TEXT), ['a.h'])

    def test_defined(self):
        self.assertEqual(c_source.defined('x.c', TEXT), {'two', 'TEST_F(fixture, name)'})
        self.assertIn('one', c_source.defined('x.h', TEXT))
        text = '/* SYM_FUNC_START(no) */\nSYM_FUNC_START(yes)\n\t.globl also\n'
        self.assertEqual(c_source.defined('x.S', text), {'yes', 'also'})

    def test_used(self):
        used = c_source.used(TEXT)
        self.assertLessEqual({'called', 'one'}, used)
        self.assertFalse({'not_called', 'declared', 'Comment'} & used)


if __name__ == '__main__':
    unittest.main()
