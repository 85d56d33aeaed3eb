# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check that applies the fixes of findings."""

import unittest

from tdxtest.checks import fixes_of_findings

BEFORE = {'t:passes': 'pass', 't:fixed': 'xfail', 't:other': 'xfail', 't:harmful': 'skip',
          't:two_cpus': 'skip'}
AFTER = {**BEFORE, 't:fixed': 'xpass', 't:harmful': 'xpass'}
TURNED = {'t:fixed': 3, 't:harmful': 3}


class Wrong(unittest.TestCase):

    def wrong(self, turned=None, **changes):
        after = {**AFTER, **{f't:{case}': outcome for case, outcome in changes.items()}}
        return list(fixes_of_findings.wrong(BEFORE, after, turned or TURNED, 'fixes/0003'))

    def test_the_fix_turns_its_cases(self):
        self.assertEqual(self.wrong(), [])

    def test_a_case_that_is_not_turned(self):
        self.assertEqual(self.wrong(fixed='xfail'),
                         ['fixes/0003: t:fixed: wanted xpass, got xfail'])
        self.assertEqual(len(self.wrong(harmful='skip')), 1)

    def test_another_case_that_changes(self):
        for outcome in ('fail', 'skip'):
            self.assertEqual(len(self.wrong(passes=outcome)), 1)
        self.assertEqual(self.wrong(other='xpass'),
                         ['fixes/0003: t:other: wanted xfail, got xpass'])

    def test_a_case_that_was_not_run(self):
        self.assertEqual(self.wrong({**TURNED, 't:new': 3}), ['fixes/0003: t:new: was not run'])
