# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check of repeated lines."""

import unittest

from tdxtest.checks import repeated_lines


def lines(count, word='a'):
    return [f'\t{word} = {n};' for n in range(count)]


def text(*parts):
    return '\n'.join(line for part in parts for line in part) + '\n'


class Repeated(unittest.TestCase):

    def wrong(self, texts, excused=()):
        return list(repeated_lines.wrong(texts, dict(excused)))

    def test_few(self):
        self.assertEqual(self.wrong({'a.c': text(lines(9)), 'b.c': text(lines(9))}), [])

    def test_ten(self):
        self.assertEqual(self.wrong({'a.c': text(lines(10)),
                                     'b.c': text(['int b;'], lines(10))}),
                         ['b.c:2: has 10 lines or more of a.c:1'])

    def test_a_longer_run_is_told_once(self):
        self.assertEqual(self.wrong({'a.c': text(lines(15)), 'b.c': text(lines(15))}),
                         ['b.c:1: has 10 lines or more of a.c:1'])

    def test_blanks_comments_and_braces_do_not_count(self):
        both = ['/* The same', ' * comment. */', '{', '}', '', '#include "a.h"'] * 3
        self.assertEqual(self.wrong({'a.c': text(lines(6), both), 'b.c': text(lines(6), both)}), [])
        spread = text(*([line, '', '/* Other. */'] for line in lines(10)))
        self.assertEqual(len(self.wrong({'a.c': text(lines(10)), 'b.c': spread})), 1)

    def test_in_one_file(self):
        self.assertEqual(self.wrong({'a.py': text(lines(10), ['b()'], lines(10))}),
                         ['a.py:12: has 10 lines or more of a.py:1'])
        self.assertEqual(self.wrong({'a.py': text(['a()'] * 15)}), [])

    def test_excused(self):
        texts = {'b.c': text(lines(10)), 'a.c': text(lines(10))}
        self.assertEqual(self.wrong(texts, {('a.c', 'b.c'): 'why'}), [])
        self.assertEqual(self.wrong({}, {('a.c', 'b.c'): 'why'}), [
            'checks/repeated_lines.py: excuses a.c and b.c, which repeat nothing; drop it'])


if __name__ == '__main__':
    unittest.main()
