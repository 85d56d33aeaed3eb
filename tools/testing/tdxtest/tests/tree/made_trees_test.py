# SPDX-License-Identifier: GPL-2.0-only
"""The fields of patches that make trees which have moved, and how such a tree is made."""

import os
import tempfile
import types
import unittest

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.tree import made_trees, work_tree

PATCH = """Subject: [PATCH] x86: Rename b

Seen: suite
Library: packaged
Says: one (of|at) all
Says: two
---
diff --git a/kvm/b.c b/kvm/c.c
similarity index 100%
rename from kvm/b.c
rename to kvm/c.c
"""
KERNEL = {'Makefile': 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n',
          'Kconfig': '\n', 'arch/x86/kvm/vmx/tdx.c': '\n', 'kvm/b.c': 'b\n'}


class MadeTrees(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.top = temp.name
        self.path = self.write('b-renamed.patch', PATCH)

    def write(self, name, text):
        write_if_changed(os.path.join(self.top, name), text.encode())
        return os.path.join(self.top, name)

    def test_fields(self):
        made = made_trees.parse(self.path)
        self.assertEqual((made.name, made.seen, made.library, made.says, made.fails),
                         ('b-renamed', 'suite', 'packaged', ('one (of|at) all', 'two'), ''))
        self.assertEqual(made.touches(), ['kvm/b.c', 'kvm/c.c'])

    def test_fields_that_it_cannot_have(self):
        for old, new, error in (('Seen: suite', 'Seen: soon', 'wanted Seen: lay or suite'),
                                ('Library: packaged', 'Library: mine', 'wanted Library:'),
                                ('Says: two', 'Fails: a\nFails: b', 'wanted one Fails:')):
            with self.assertRaisesRegex(Failure, f'^b-renamed: {error}'):
                made_trees.parse(self.write('b-renamed.patch', PATCH.replace(old, new)))

    def test_all_of_the_project_can_be_read(self):
        self.assertGreaterEqual(len(made_trees.load()), 8)

    def test_a_tree_is_made_and_the_next_one_starts_anew(self):
        for name, text in KERNEL.items():
            self.write(f'kernel/{name}', text)
        tree = os.path.join(self.top, 'kernel')
        work = types.SimpleNamespace(
            tree=tree, patches=lambda: [],
            pristine=lambda path: work_tree.read(os.path.join(tree, path)))
        maker = made_trees.Maker(work, os.path.join(self.top, 'made'),
                                 os.path.join(self.top, 'log'))
        maker.begin([made_trees.LAY])
        source = maker.make(made_trees.parse(self.path))
        self.assertEqual(source.version, '7.3.4')
        self.assertFalse(os.path.exists(os.path.join(maker.folder, 'kvm/b.c')))
        self.assertTrue(os.path.exists(os.path.join(maker.folder, 'kvm/c.c')))
        other = self.write('none.patch', PATCH.replace('kvm/c.c', 'kvm/d.c'))
        maker.make(made_trees.parse(other))
        self.assertFalse(os.path.exists(os.path.join(maker.folder, 'kvm/c.c')))
        self.assertTrue(os.path.exists(os.path.join(maker.folder, 'kvm/d.c')))
