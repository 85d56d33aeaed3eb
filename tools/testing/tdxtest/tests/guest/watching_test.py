# SPDX-License-Identifier: GPL-2.0-only
"""Tests of watching.py: what counts as a change of a source."""

import os
import tempfile
import unittest

from tdxtest.base.build_folder import write_if_changed
from tdxtest.guest import watching
from tdxtest.guest.request import Request


class Watching(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name in ('a.c', 'b/c.h', 'gone.c'):
            write_if_changed(os.path.join(self.folder, name), b'old')

    def test_what_changes(self):
        before = watching.state([self.folder])
        self.assertEqual(len(before), 3)
        self.assertEqual(watching.changed(before, watching.state([self.folder])), [])
        for name in ('a.o', '.git/index', '.a.c.swp', 'a.c~', '__pycache__/x', 'k.cmd'):
            write_if_changed(os.path.join(self.folder, name), b'no source')
        self.assertEqual(watching.changed(before, watching.state([self.folder])), [])
        naps = []

        def nap(seconds):
            naps.append(seconds)
            write_if_changed(os.path.join(self.folder, 'b/c.h'), b'new text')
            write_if_changed(os.path.join(self.folder, 'n/n.c'), b'')
            if os.path.exists(os.path.join(self.folder, 'gone.c')):
                os.unlink(os.path.join(self.folder, 'gone.c'))

        found = watching.wait([self.folder], before, nap)
        self.assertEqual([os.path.relpath(path, self.folder) for path in found],
                         ['b/c.h', 'gone.c', 'n/n.c'])
        self.assertEqual((len(naps), naps[-1]), (2, watching.SETTLE_S))

    def test_folders(self):
        own = watching.roots(Request())
        self.assertTrue(all(os.path.isdir(folder) for folder in own))
        self.assertEqual(watching.roots(Request().with_build(kdir=self.folder)),
                         [self.folder, *own])
