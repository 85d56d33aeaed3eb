# SPDX-License-Identifier: GPL-2.0-only
"""Tests of rules.py: a table that claims too much is found out."""

import unittest

from tdxtest.verdict import rules

CASES = {'a_test': ['fix.row_1.works', 'fix.row_2.works']}


def check(text):
    return list(rules.check_rows('x.tsv', CASES.get, text))


class CheckRowsTest(unittest.TestCase):

    def test_good(self):
        self.assertEqual(check('# rule\tcases\twhat\nr.1\ta_test:fix.row_1.*\tone\n'
                               'r.2\ta_test:fix.row_2.works a_test:fix.*\ttwo\n'), [])

    def test_case_that_is_gone(self):
        self.assertEqual(check('r.1\ta_test:fix.row_3.*\tthree\n'),
                         ["rules/x.tsv:1: r.1: no case of a_test matches 'fix.row_3.*'"])

    def test_test_that_is_gone(self):
        self.assertIn("no test 'b_test'", check('r.1\tb_test:*\tone\n')[0])

    def test_rule_twice(self):
        self.assertIn('has a row already', check('r.1\ta_test:*\tone\nr.1\ta_test:*\tone\n')[0])

    def test_columns(self):
        self.assertIn('wanted rule, cases, what', check('r.1\ta_test:*\n')[0])

    def test_empty(self):
        self.assertIn('has no rows', check('# nothing\n')[0])
