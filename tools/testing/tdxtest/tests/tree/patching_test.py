# SPDX-License-Identifier: GPL-2.0-only
"""Patches that do not apply: their lines go where the table says, or the failure says why."""

import os
import tempfile
import unittest

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.base.paths import PROJECT
from tdxtest.tree import patching, series

ADDS = """From 0 Mon Sep 17 00:00:00 2001
Subject: [PATCH] kvm: Include b

---
diff --git a/kvm/Makefile b/kvm/Makefile
--- a/kvm/Makefile
+++ b/kvm/Makefile
@@ -1,3 +1,5 @@
 one
 
+include b
+
 two
-- 
2.39.5
"""
CHANGES = ADDS.replace('+include b\n', '-one\n+include b\n')
PLACES = '# comment\nkvm/Makefile before ^A\\s*\\+= b$\n'


class Added(unittest.TestCase):
    def test_lines_of_a_patch_that_only_adds(self):
        self.assertEqual(patching.added(ADDS), {'kvm/Makefile': [['include b', '']]})

    def test_a_patch_that_removes_a_line(self):
        self.assertIsNone(patching.added(CHANGES))

    def test_all_patches_of_the_project_that_are_always_applied(self):
        folder = os.path.join(PROJECT, 'patches')
        places = patching.load_insertions(folder)
        for row in series.load(folder):
            if row.kind in series.ALWAYS:
                with open(os.path.join(folder, row.file), encoding='utf-8') as f:
                    files = patching.added(f.read())
                self.assertIsNotNone(files, row.file)
                self.assertLessEqual(set(files), set(places), row.file)


class Inserted(unittest.TestCase):
    def test_at_the_end(self):
        self.assertEqual(patching.inserted('one', [['', 'b', '']], 'end'), 'one\n\nb\n')

    def test_before_a_line(self):
        self.assertEqual(patching.inserted('one\nA += b\n', [['b']], 'before ^A'),
                         'one\nb\n\nA += b\n')

    def test_no_such_line(self):
        self.assertIsNone(patching.inserted('one\n', [['b']], 'before ^A'))

    def test_what_is_there_is_not_there_twice(self):
        self.assertEqual(patching.inserted('b\none\n', [['b']], 'end'), 'b\none\n')


class Patcher(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.top = temp.name
        self.said = []
        self.write('patches/insertions', PLACES)
        self.write('patches/one.patch', ADDS)
        self.patch = series.Patch('one.patch', series.Range.parse('[6.16,)'), 'seam', '-', 'why')

    def write(self, name, text):
        write_if_changed(os.path.join(self.top, name), text.encode())

    def apply(self, makefile):
        self.write('tree/kvm/Makefile', makefile)
        patching.Patcher(os.path.join(self.top, 'patches'), os.path.join(self.top, 'tree'),
                         os.path.join(self.top, 'log'), '7.4.0', self.said.append
                         ).apply(self.patch)
        with open(os.path.join(self.top, 'tree/kvm/Makefile'), encoding='utf-8') as f:
            return f.read()

    def test_it_applies(self):
        self.assertEqual(self.apply('one\n\ntwo\n'), 'one\n\ninclude b\n\ntwo\n')
        self.assertEqual(self.said, [])

    def test_its_lines_are_inserted(self):
        self.assertEqual(self.apply('1\n2\nA += b\n'), '1\n2\ninclude b\n\nA += b\n')
        self.assertRegex(self.said[0], 'patches/one.patch does not apply to Linux 7.4.0; its lines')

    def test_no_place_for_its_lines(self):
        with self.assertRaisesRegex(Failure, 'one.patch does not apply to Linux 7.4.0: error'):
            self.apply('1\n2\n')

    def test_a_patch_that_changes_lines(self):
        self.write('patches/one.patch', CHANGES)
        with self.assertRaisesRegex(Failure, 'does not apply'):
            self.apply('1\n2\nA += b\n')

    def test_a_place_of_no_kind(self):
        self.write('patches/insertions', 'kvm/Makefile somewhere\n')
        with self.assertRaisesRegex(Failure, 'wanted end or before REGEX, got somewhere'):
            self.apply('one\n')
