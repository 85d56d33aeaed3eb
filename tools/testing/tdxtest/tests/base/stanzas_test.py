# SPDX-License-Identifier: GPL-2.0-only
"""Tests of stanzas.py."""

import unittest

from tdxtest.base import stanzas
from tdxtest.base.failure import Failure

GOOD = """\
# Comment

one
	First line,
	second line.
	- item
	- another: item

# Comment
two.b
	Text.
	- item
"""


class Parse(unittest.TestCase):

    def test_good(self):
        found = stanzas.parse(GOOD, 'x')
        self.assertEqual(len(found), 2)
        one, two = found[0], found[1]
        self.assertEqual((one.name, one.line, one.text), ('one', 3, 'First line, second line.'))
        self.assertEqual(one.items, [(6, 'item'), (7, 'another: item')])
        self.assertEqual((two.name, two.line, two.items), ('two.b', 10, [(12, 'item')]))
        self.assertEqual(stanzas.parse('# Comment\n', 'x'), [])

    def refused(self, wanted, text):
        with self.assertRaises(Failure) as caught:
            stanzas.parse(text, 'x')
        self.assertEqual(str(caught.exception), wanted)

    def test_refused(self):
        self.refused("x:1: belongs to no stanza: 'Text.'", '\tText.\n')
        self.refused("x:4: belongs to no stanza: '- item'", 'one\n\tText.\n\n\t- item\n')
        self.refused("x:1: wanted a name and a blank line before it, got 'one two'",
                     'one two\n\tText.\n')
        self.refused("x:4: wanted a name and a blank line before it, got 'two'",
                     'one\n\tText.\n\t- item\ntwo\n')
        self.refused('x:2: one: has an item before its text', 'one\n\t- item\n')
        self.refused('x:4: one: wanted "- " and an item, got \'More.\'',
                     'one\n\tText.\n\t- item\n\tMore.\n')
        self.refused('x:1: one: wanted a text and items, got neither', 'one\n')
        self.refused('x:1: one: wanted a text and items, got a text only', 'one\n\tText.\n')


if __name__ == '__main__':
    unittest.main()
