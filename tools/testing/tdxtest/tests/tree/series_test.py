# SPDX-License-Identifier: GPL-2.0-only
"""Tests of series.py: the files that a patch changes."""

import unittest

from tdxtest.base.failure import Failure
from tdxtest.tree import series


class Touched(unittest.TestCase):

    def test_paths(self):
        self.assertEqual(series.touched('--- a/k/x.c\n+++ b/k/x.c\n--- /dev/null\n+++ b/new.c\n'
                                        '--- a/old.c\n+++ /dev/null\n'),
                         {'k/x.c': False, 'new.c': True, 'old.c': False})

    def test_without_a_and_b(self):
        with self.assertRaisesRegex(Failure, '^line 2 of a patch: wanted a path like a/tdx.c or '
                                             'b/tdx.c, got tdx.c$'):
            series.touched('--- tdx.c.orig\n+++ tdx.c\n@@ -1 +1 @@\n-a\n+b\n')
