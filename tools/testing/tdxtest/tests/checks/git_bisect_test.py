# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check that bisects a history: what the first step begins with, how far it is."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.build_folder import write_if_changed
from tdxtest.checks import git_bisect
from tdxtest.tree.kernel import Kernel


def tree(folder):
    """What a Kernel is built of, in a folder."""
    return mock.Mock(folder=folder, tree=os.path.join(folder, 'tree'),
                     out=lambda *parts: os.path.join(folder, *parts))


class Begin(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        base = tree(os.path.join(self.folder, 'base'))
        kernel = Kernel(mock.Mock(), base, ['base', 'sim'])
        self.built = mock.Mock(work=base, kernel=kernel)
        self.steps = tree(os.path.join(self.folder, 'steps'))
        for name, text in (('vmlinux', b'built'), ('tdxtest-built', b'state'),
                           ('.a.o.cmd', f'{base.tree}/a.c {kernel.out}/a.o'.encode())):
            write_if_changed(os.path.join(kernel.out, name), text)

    def path(self, name):
        return os.path.join(self.folder, 'steps/out', name)

    def test_the_products_of_the_base_with_their_new_places(self):
        git_bisect.begin_with(self.built, self.steps)
        with open(self.path('.a.o.cmd'), encoding='utf-8') as f:
            self.assertEqual(f.read(), f'{self.folder}/steps/tree/a.c {self.folder}/steps/out/a.o')
        self.assertEqual(os.stat(self.path('vmlinux')).st_mtime_ns,
                         os.stat(os.path.join(self.built.kernel.out, 'vmlinux')).st_mtime_ns)

    def test_make_must_look_at_them(self):
        git_bisect.begin_with(self.built, self.steps)
        self.assertFalse(os.path.exists(self.path('tdxtest-built')))

    def test_what_steps_have_built_stays(self):
        write_if_changed(self.path('vmlinux'), b'of a step')
        git_bisect.begin_with(self.built, self.steps)
        with open(self.path('vmlinux'), 'rb') as f:
            self.assertEqual(f.read(), b'of a step')


class SoFar(unittest.TestCase):

    def test_the_ends_do_not_count(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(git_bisect.so_far(folder), '0 commit(s) tried')
            rows = [f'git bisect {word} {number:040x}' for number, word in
                    enumerate(('bad', 'good', 'good', 'skip'))]
            write_if_changed(os.path.join(folder, '.git/BISECT_LOG'),
                             '\n'.join(['# bad: x', *rows]).encode())
            self.assertEqual(git_bisect.so_far(folder), '2 commit(s) tried')
