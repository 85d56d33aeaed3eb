# SPDX-License-Identifier: GPL-2.0-only
"""How the project is cut into patches."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.failure import Failure, UsageError
from tdxtest.tree import patchset, work_tree

KBUILD = '''obj-y += a.o b.o
obj-y += entry.o

# To be looked at.
obj-$(CONFIG_X) += c.o

obj-$(CONFIG_T) += tests.o
tests-y := t1.o t2.o
'''
ROWS = '''# Head.

PROGS += x86/a_test
PROGS += x86/b_test

LIB += lib/a.c
CFLAGS += -I$(OUTPUT)/lib
'''


class Lists(unittest.TestCase):
    def test_objects_of_the_files_that_are_there(self):
        self.assertEqual(patchset.objects_of(KBUILD, {'b.c', 'entry.S'}),
                         'obj-y += b.o\nobj-y += entry.o\n\n# To be looked at.\n\n')
        self.assertEqual(patchset.objects_of(KBUILD, {'t2.c'}).split('\n')[-3:],
                         ['obj-$(CONFIG_T) += tests.o', 'tests-y := t2.o', ''])

    def test_rows_of_the_files_that_are_there(self):
        self.assertEqual(patchset.rows_of(ROWS, {'x86/b_test.c'}),
                         '# Head.\n\nPROGS += x86/b_test\n\nCFLAGS += -I$(OUTPUT)/lib\n')

    def test_all_files_give_the_whole_list(self):
        everything = set(work_tree.overlay_files())
        for path in patchset.ROW_LISTS + patchset.OBJECT_LISTS:
            with open(os.path.join(patchset.PROJECT, path), 'rb') as f:
                self.assertEqual(patchset.content(path, everything), f.read(), path)

    def test_a_remark_goes_with_its_rows(self):
        path = patchset.OBJECT_LISTS[0]
        folder = os.path.dirname(path)
        with mock.patch.object(work_tree, 'content', return_value=KBUILD.encode()):
            self.assertEqual(patchset.content(path, {f'{folder}/a.c'}), b'obj-y += a.o\n')


class Plan(unittest.TestCase):
    def plan(self, text, overlay):
        with tempfile.NamedTemporaryFile('w', suffix='.txt') as f:
            f.write(text)
            f.flush()
            return patchset.plan((7, 3), patchset.load(f.name), overlay)

    def test_the_first_record_that_matches(self):
        steps, wrong = self.plan('Patches: seam\n---\nPatches: selftests\n---\n'
                                 'Subject: one\nFiles: d/a*\n\nText.\n---\n'
                                 'Subject: two\nFiles: d/*\n\nText.\n', ['d/a', 'd/b'])
        self.assertEqual(wrong, [])
        self.assertEqual([(s.subject, s.files) for s in steps if not s.patch],
                         [('one', ['d/a']), ('two', ['d/b'])])

    def test_what_is_left_over(self):
        _, wrong = self.plan('Patches: seam\n---\nSubject: one\nFiles: d/a\n\nText.\n', ['d/b'])
        self.assertIn('d/b: is in no patch of patchset.txt', wrong)
        self.assertIn("patchset.txt:3: nothing is left for 'one'", wrong)
        self.assertTrue([w for w in wrong if w.startswith('patches/selftests/0001')])

    def test_each_stem_says_what_its_patch_does(self):
        table = 'Each: suite: {}\nFiles: d/*\n\na: Test an A\nc: Test a C\n'
        with mock.patch.object(patchset, 'head_comment', return_value='Text.\n'), \
                mock.patch.object(patchset, 'by_stem',
                                  return_value=[('a', ['d/a.c']), ('b', ['d/b.c'])]):
            steps, wrong = self.plan(table, ['d/a.c', 'd/b.c'])
        self.assertEqual([s.subject for s in steps], ['suite: Test an A', 'suite: b'])
        self.assertIn('patchset.txt:1: does not say what the patch of b does', wrong)
        self.assertIn('patchset.txt:1: c is the stem of no file', wrong)

    def test_a_record_of_no_kind(self):
        with self.assertRaisesRegex(Failure, 'patchset.txt:1: wanted one of'):
            self.plan('Files: d/a\n\nText.\n', ['d/a'])

    def test_what_is_included_comes_first(self):
        order = [name for name, _ in patchset.by_stem(
            p for p in work_tree.overlay_files()
            if '/x86/tdx/tdx_map_gpa' in p)]
        self.assertLess(order.index('tdx_map_gpa_gens'), order.index('tdx_map_gpa'))
        self.assertEqual(len(order), len(set(order)))


class Words(unittest.TestCase):
    def comment(self, text):
        with tempfile.NamedTemporaryFile('w') as f:
            f.write(text)
            f.flush()
            return patchset.head_comment(f.name)

    def test_the_head_of_a_file(self):
        text = ('// SPDX-License-Identifier: GPL-2.0-only\n/*\n * One sentence that is\n'
                ' * broken.\n *\n *\ta\ttable\n */\n#include <a.h>\n/* Another. */\n')
        self.assertEqual(self.comment(text),
                         'One sentence that is broken.\n\n        a       table\n')
        self.assertEqual(self.comment('/* SPDX-License-Identifier: x */\n/* Short. */\n'),
                         'Short.\n')
        with self.assertRaisesRegex(Failure, 'wanted a comment at its head'):
            self.comment('int x;\n')

    def test_who_signs(self):
        self.assertEqual(patchset.identity('A B <a@b.c>')['GIT_AUTHOR_EMAIL'], 'a@b.c')
        for wrong in ('A B', '<a@b.c>', 'A <b>'):
            with self.assertRaises(UsageError):
                patchset.identity(wrong)
