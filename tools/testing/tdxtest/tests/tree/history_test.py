# SPDX-License-Identifier: GPL-2.0-only
"""The table of what KVM changed, and the commits that are made of it."""

import os
import unittest

from tdxtest.checks import git_bisect
from tdxtest.tree import history, suite


class Changes(unittest.TestCase):
    def test_rows(self):
        changes = history.changes('7.3.4')
        self.assertGreaterEqual(len(changes), 5)
        for change in changes:
            self.assertTrue(os.path.isfile(change.patch), change.patch)
            self.assertTrue(suite.parse_selection(change.case), change.case)
            self.assertRegex(change.upstream, '^([0-9a-f]{12}|-)$')

    def test_an_older_kernel_has_fewer(self):
        newest, older = history.changes('7.3.4'), history.changes('7.2.13')
        self.assertEqual(older, newest[:-1])
        self.assertEqual(newest[-1].since, '7.3')
        self.assertEqual([change.since for change in history.changes('6.18')], ['6.16', '6.18'])

    def test_no_two_commits_do_something_at_once(self):
        numbers = [change.number for change in history.changes('7.3.4')]
        self.assertEqual(len({*numbers, *history.EDITS}), len(numbers) + len(history.EDITS))
        self.assertLess(max(numbers) + history.DISTANCE, min(history.EDITS))

    def test_a_search_begins_before_and_ends_after_its_commit(self):
        for what, number, good, bad, _ in git_bisect.searches('7.3.4'):
            self.assertTrue(good < number <= bad < history.COMMITS, what)
