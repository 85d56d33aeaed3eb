# SPDX-License-Identifier: GPL-2.0-only
"""Tests of rules.py: a rule that claims too much is found out."""

import unittest

from tdxtest.verdict import rules

CASES = {'a_test': ['fix.row_1.works', 'fix.row_2.works']}


def check(text):
    return list(rules.check_text('x.rules', text, CASES.get))


def rule(*items, name='r.1'):
    return f'{name}\n\tIt works.\n' + ''.join(f'\t- {item}\n' for item in items) + '\n'


class CheckText(unittest.TestCase):

    def test_good(self):
        self.assertEqual(check('# Comment\n\n' + rule('a_test:fix.row_1.*') +
                               rule('a_test:fix.row_2.works', 'a_test:fix.*', name='r.2')), [])

    def test_case_that_is_gone(self):
        self.assertEqual(check(rule('a_test:fix.*', 'a_test:fix.row_3.*')),
                         ["rules/x.rules:4: r.1: no case of a_test matches 'fix.row_3.*'"])

    def test_test_that_is_gone(self):
        self.assertEqual(check(rule('b_test:*')), ["rules/x.rules:3: r.1: no test 'b_test'"])

    def test_item_without_a_test(self):
        self.assertEqual(check(rule('a_test')),
                         ["rules/x.rules:3: r.1: no case of a_test matches ''"])

    def test_rule_twice(self):
        self.assertEqual(check(rule('a_test:*') + rule('a_test:*')),
                         ['rules/x.rules:5: has a rule r.1 already'])

    def test_form(self):
        self.assertEqual(check('r.1\n\tIt works.\n'),
                         ['rules/x.rules:1: r.1: wanted a text and items, got a text only'])

    def test_empty(self):
        self.assertEqual(check('# Comment\n'), ['rules/x.rules: has no rules'])

    def test_the_files(self):
        self.assertTrue(rules.names())
        for name in rules.names():
            wrong = list(rules.check_text(name, rules.text_of(name), lambda test: None))
            self.assertNotEqual(wrong, [])
            self.assertTrue(all('no test' in line for line in wrong), wrong)


if __name__ == '__main__':
    unittest.main()
