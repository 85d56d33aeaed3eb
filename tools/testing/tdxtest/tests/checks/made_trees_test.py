# SPDX-License-Identifier: GPL-2.0-only
"""What a run on a tree that has moved must end with, and what is said of another end."""

import unittest

from tdxtest.checks import made_trees as check
from tdxtest.tree.made_trees import Made


class Differences(unittest.TestCase):
    def lines(self, said='', failed='', packaged=False, **fields):
        made = Made(**{'name': 'x', 'path': '', 'seen': 'lay', 'library': 'tree', 'says': (),
                       'fails': '', **fields})
        return list(check.differences(made, said, failed, packaged))

    def test_as_wanted(self):
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.lines('its lines are inserted\n', says=('lines are',)), [])
        self.assertEqual(self.lines('', 'no CONFIG_A', fails='no CONFIG_[A-Z]'), [])
        self.assertEqual(self.lines('', '', True, library='packaged'), [])

    def test_a_line_that_is_missing(self):
        self.assertRegex(self.lines('other\n', says=('lines are',))[0],
                         "^x: wanted a line with 'lines are', got other$")

    def test_a_failure_too_many_or_too_few(self):
        self.assertEqual(self.lines('', 'boom'), ['x: wanted no failure, got boom'])
        self.assertEqual(self.lines('', '', fails='boom'), ['x: wanted boom, got no failure'])
        self.assertEqual(self.lines('', 'bang', fails='boom'), ['x: wanted boom, got bang'])

    def test_the_other_library(self):
        self.assertIn('selftest library of the tree kernel', self.lines(packaged=True)[0])
        self.assertIn('selftest library of the packaged kernel',
                      self.lines(library='packaged')[0])
