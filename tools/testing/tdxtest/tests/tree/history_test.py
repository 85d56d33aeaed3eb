# SPDX-License-Identifier: GPL-2.0-only
"""The table of what KVM changed, and the commits that are made of it."""

import os
import unittest

from tdxtest.checks import git_bisect
from tdxtest.tree import history, suite


class Changes(unittest.TestCase):
    def test_rows(self):
        changes = history.changes()
        self.assertGreaterEqual(len(changes), 5)
        for change in changes:
            self.assertTrue(os.path.isfile(change.patch), change.patch)
            self.assertTrue(suite.parse_selection(change.case), change.case)
            self.assertRegex(change.upstream, '^([0-9a-f]{12}|-)$')

    def test_no_two_commits_do_something_at_once(self):
        numbers = [change.number for change in history.changes()]
        self.assertEqual(len({*numbers, *history.EDITS}), len(numbers) + len(history.EDITS))
        self.assertLess(max(numbers) + history.DISTANCE, min(history.EDITS))

    def test_a_search_begins_before_and_ends_after_its_commit(self):
        for what, number, good, bad, _ in git_bisect.searches():
            self.assertTrue(good < number <= bad < history.COMMITS, what)
