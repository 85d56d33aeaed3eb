# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check of function lengths."""

import unittest

from tdxtest.checks import function_lengths


def c_function(lines):
    return 'static int long_one(void)\n{\n' + '\ta++;\n' * (lines - 3) + '}\n'


def python_function(lines):
    return '\ndef long_one():\n' + '    a()\n' * (lines - 1)


class TooLong(unittest.TestCase):

    def wrong(self, texts, excused=()):
        return list(function_lengths.too_long(texts, dict(excused)))

    def test_short(self):
        self.assertEqual(self.wrong({'a.c': c_function(60), 'a.py': python_function(60),
                                     'a.h': '', 'a.rst': c_function(61)}), [])

    def test_long(self):
        self.assertEqual(self.wrong({'a.c': '\n' + c_function(61), 'a.h': c_function(62),
                                     'a.py': python_function(63)}), [
            'a.c:2: long_one has 61 lines, wanted at most 60',
            'a.h:1: long_one has 62 lines, wanted at most 60',
            'a.py:2: long_one has 63 lines, wanted at most 60'])

    def test_excused(self):
        self.assertEqual(self.wrong({'a.c': c_function(61)}, {'a.c:long_one': 'why'}), [])
        self.assertEqual(self.wrong({'a.c': c_function(60)}, {'a.c:long_one': 'why'}), [
            'checks/function_lengths.py: excuses a.c:long_one, which is not too long; drop it'])


if __name__ == '__main__':
    unittest.main()
