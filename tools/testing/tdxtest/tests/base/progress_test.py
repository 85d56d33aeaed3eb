# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what a command says of its steps."""

import io
import re
import time
import unittest

from tdxtest.base.progress import Progress


def lines(out):
    """What was printed, without the times."""
    return [re.sub(r'^\[ *[\d.]+s\] ', '', re.sub(r'\d+\.\d s$', 'N s', line))
            for line in out.getvalue().splitlines()]


class Each(unittest.TestCase):

    def test_which_one_of_how_many(self):
        out = io.StringIO()
        given = list(Progress(out).each('fixes', [6, 7], lambda number: f'fixes/{number:04}'))
        self.assertEqual(given, [6, 7])
        self.assertEqual(lines(out), ['fixes: fixes/0006: 1 of 2', 'fixes: done in N s',
                                      'fixes: fixes/0007: 2 of 2', 'fixes: done in N s'])


class Silence(unittest.TestCase):

    def setUp(self):
        self.out = io.StringIO()
        # Of this one alone: that of the check which runs the tests keeps its pace.
        self.progress = Progress(self.out, heartbeat_s=0, poll_s=0.02)

    def silent(self):
        time.sleep(0.2)

    def test_each_that_lasts(self):
        for _ in self.progress.each('trees', ['a'], detail=lambda: 'half of it'):
            self.silent()
        self.assertRegex(self.out.getvalue(), r'trees: still at it after \d s, half of it\n')

    def test_what_is_being_done(self):
        with self.progress.step('check', 'all'):
            self.progress.doing = 'pylint'
            self.silent()
        self.assertRegex(self.out.getvalue(), r'check: still at it after \d s, pylint\n')

    def test_only_the_innermost_step_speaks(self):
        with self.progress.step('check', 'fixes'):
            with self.progress.step('run', 'fixes/0006'):
                self.silent()
            inner = self.out.getvalue()
            self.silent()
        self.assertIn('run: still at it', inner)
        self.assertNotIn('check: still at it', inner)
        self.assertIn('check: still at it', self.out.getvalue())


if __name__ == '__main__':
    unittest.main()
