# SPDX-License-Identifier: GPL-2.0-only
"""Tests of moved.py: a build that was moved or copied stays built, and what changes is built."""

import os
import shutil
import subprocess
import tempfile
import unittest

from tdxtest.base.build_folder import write_if_changed
from tdxtest.tree import moved

# Builds as kbuild does: again if an input is newer, or if the command is another.
MAKEFILE = '''
cmd = cp {folder}/tree/a.c a.o
a.o: {folder}/tree/a.c FORCE
\t@if [ a.o -ot $< ] || [ "`cat .a.o.cmd`" != "$(cmd)" ]; then \\
\t\t$(cmd); echo "$(cmd)" > .a.o.cmd; echo built; fi
FORCE:
'''


class Moved(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.old = os.path.join(folder.name, 'old', '7.3')
        self.new = os.path.join(folder.name, 'new', '7.3')
        write_if_changed(os.path.join(self.old, 'tree/a.c'), b'one\n')
        os.makedirs(os.path.join(self.old, 'out'))
        self.assertFalse(moved.settle(self.old))
        self.assertEqual(self.make(self.old), 'built\n')
        self.assertEqual(self.make(self.old), '')
        os.symlink(os.path.join(self.old, 'tree'), os.path.join(self.old, 'out/source'))

    @staticmethod
    def make(folder):
        return subprocess.run(['make', '-s', '-f', '-', '-C', os.path.join(folder, 'out')],
                              input=MAKEFILE.format(folder=folder), text=True, check=True,
                              capture_output=True).stdout

    def stays_built(self):
        self.assertTrue(moved.settle(self.new))
        self.assertFalse(moved.settle(self.new))
        self.assertEqual(os.readlink(os.path.join(self.new, 'out/source')),
                         os.path.join(self.new, 'tree'))
        self.assertEqual(self.make(self.new), '')
        write_if_changed(os.path.join(self.new, 'tree/a.c'), b'two\n')
        self.assertEqual(self.make(self.new), 'built\n')

    def test_moved(self):
        os.makedirs(os.path.dirname(self.new))
        os.rename(self.old, self.new)
        self.stays_built()

    def test_copied_with_times(self):
        shutil.copytree(self.old, self.new, symlinks=True)
        self.stays_built()
        self.assertEqual(self.make(self.old), '')

    def test_copied_without_times(self):
        shutil.copytree(self.old, self.new, symlinks=True, copy_function=shutil.copyfile)
        # As cp -r may leave it: the source is the newer one.
        os.utime(os.path.join(self.new, 'out/a.o'), (1000, 1000))
        self.stays_built()

    def test_neighbours_keep_their_names(self):
        path = os.path.join(self.old, 'out/.x.cmd')
        write_if_changed(path, f'{self.old}/tree {self.old}-other/tree {self.old}\n'.encode())
        os.utime(path, (1000, 1000))
        moved.map_paths(self.old, {self.old: '/n'})
        with open(path, encoding='utf-8') as f:
            self.assertEqual(f.read(), f'/n/tree {self.old}-other/tree /n\n')
        self.assertEqual(os.path.getmtime(path), 1000)

    def test_copy(self):
        target = os.path.join(self.old, 'review/out')
        moved.copy(os.path.join(self.old, 'out'), target,
                   {os.path.join(self.old, 'out'): target, os.path.join(self.old, 'tree'): '/t'})
        with open(os.path.join(target, '.a.o.cmd'), encoding='utf-8') as f:
            self.assertEqual(f.read(), 'cp /t/a.c a.o\n')
