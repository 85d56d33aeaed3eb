# SPDX-License-Identifier: GPL-2.0-only
"""Tests of series.py: its rows, and the files that a patch changes."""

import os
import tempfile
import unittest

from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT
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


class Rows(unittest.TestCase):
    def test_ranges_are_half_open(self):
        span = series.Range.parse('[6.16,7.2)')
        self.assertTrue(span.holds((6, 16, 3)))
        self.assertFalse(span.holds((7, 2)))
        self.assertFalse(span.holds((7, 2, 0)))
        self.assertFalse(span.holds((6, 15, 9)))
        self.assertTrue(series.Range.parse('[7.2,)').holds((10, 0)))

    def test_patches_on_request(self):
        fix = next(p.file for p in series.load(os.path.join(PROJECT, 'patches'))
                   if p.kind == 'fix')
        self.assertEqual(series.requested([fix]), (fix,))
        number = fix.split('-')[0]
        self.assertEqual(series.requested([number]), (fix,))
        fixes = tuple(p.file for p in series.load(os.path.join(PROJECT, 'patches'))
                      if p.kind == 'fix')
        self.assertEqual(series.requested(['fixes/all']), fixes)
        self.assertEqual(series.requested([fixes[1], number, fixes[1]]), fixes[:2])
        for other in ('fixes/none.patch', 'fixes', 'fixes/000', 'all',
                      'seam/0001-x86-virt-tdx-Build-the-simulated-TDX-'
                      'module.patch'):
            with self.subTest(other=other), self.assertRaisesRegex(UsageError, fix):
                series.requested([other])

    def test_bad_rows_are_named(self):
        rows = {'a [7.2) seam - x': 'is not like', 'a [7.3,7.2) seam - x': 'is empty',
                'a [7.2,) patch - x': "kind 'patch'", 'a [7.2,) fix abc x': 'upstream',
                'a [7.2,) fix': 'got 3 column', 'a [7.2,) seam - x': 'a does not exist'}
        for row, text in rows.items():
            with self.subTest(row=row), tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, 'series'), 'w', encoding='utf-8') as f:
                    f.write('# head\n' + row + '\n')
                with self.assertRaisesRegex(Failure, f'series:2: .*{text}'):
                    series.load(folder)
