# SPDX-License-Identifier: GPL-2.0-only
"""A person's tree in every condition: in git, dirty, partly there, changing, unreadable."""

import os
import subprocess
import tempfile
import unittest
from unittest import mock

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.tree import mirror

FILES = {'Makefile': 'all:\n', 'kernel/a.c': 'a\n', 'kernel/b.c': 'b\n',
         '.gitignore': '*.o\n.*\n!.gitignore\n'}


class MirrorTest(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.top = temp.name
        self.root = self.place('my linux')
        self.fill(FILES)
        self.said = []
        self.busy = 0

    def place(self, *parts):
        return os.path.join(self.top, *parts)

    def fill(self, files, top=''):
        for name, text in files.items():
            write_if_changed(os.path.join(top or self.root, name), text.encode())

    def git(self, *words, folder=''):
        identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com',
                    '-c', 'protocol.file.allow=always']
        subprocess.run(['git', *identity, '-C', folder or self.root, *words], check=True,
                       capture_output=True, env=command.environment())

    def commit(self):
        self.git('init', '-q')
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'all')

    def update(self, root=''):
        return mirror.Mirror(root or self.root, self.top, self.place('tree')
                             ).update(set(), self.said.append)

    def copied(self):
        return {os.path.relpath(os.path.join(folder, name), self.place('tree'))
                for folder, _, names in os.walk(self.place('tree')) for name in names}

    def test_a_second_run_copies_the_file_that_changed(self):
        for condition in (lambda: None, self.commit):
            condition()
            self.update()
            self.assertEqual(self.update(), 0)
            self.fill({'kernel/a.c': f'changed by {condition}\n'})
            self.assertEqual(self.update(), 1)

    def test_a_dirty_checkout(self):
        self.commit()
        os.unlink(os.path.join(self.root, 'kernel/b.c'))
        self.fill({'kernel/a.c': 'dirty\n', 'kernel/new.c': 'new\n', 'kernel/a.o': 'product\n'})
        self.update()
        self.assertEqual(self.copied(), {'Makefile', 'kernel/a.c', 'kernel/new.c', '.gitignore'})

    def test_work_tree_and_shallow_clone(self):
        self.commit()
        self.git('worktree', 'add', '-q', '--detach', self.place('work tree'))
        self.git('clone', '-q', '--depth=1', f'file://{self.root}', self.place('shallow'),
                 folder=self.top)
        for root in (self.place('work tree'), self.place('shallow')):
            self.update(root)
            self.assertEqual(self.copied(), set(FILES), root)

    def test_a_sparse_checkout(self):
        self.commit()
        self.git('sparse-checkout', 'set', '--no-cone', 'Makefile')
        with self.assertRaisesRegex(Failure, 'a sparse checkout without 3 file.s. such as'):
            self.update()

    def test_products_of_a_build_in_it(self):
        self.fill({'out/.config': 'x', 'out/include/config/auto.conf': 'x', 'out/vmlinux': 'x',
                   '.config': 'x', 'include/config/auto.conf': 'x', 'kernel/a.o': 'x'})
        self.update()
        self.assertEqual(self.copied(), set(FILES))

    def test_a_repository_and_a_pipe_in_it(self):
        self.commit()
        self.fill(FILES, os.path.join(self.root, 'other'))
        self.git('init', '-q', folder=os.path.join(self.root, 'other'))
        os.mkfifo(os.path.join(self.root, 'pipe'))
        self.update()
        self.assertEqual(self.copied(), set(FILES))

    def test_a_file_in_place_of_a_folder(self):
        self.update()
        for name in ('a.c', 'b.c'):
            os.unlink(os.path.join(self.root, 'kernel', name))
        os.rmdir(os.path.join(self.root, 'kernel'))
        self.fill({'kernel': 'a file\n'})
        self.update()
        self.assertEqual(self.copied(), {'Makefile', '.gitignore', 'kernel'})

    def test_a_file_that_changes_meanwhile(self):
        copy = mirror.shutil.copy2
        self.busy = 2

        def copying(source, target, **how):
            copy(source, target, **how)
            if source.endswith('a.c') and self.busy:
                self.busy -= 1
                self.fill({'kernel/a.c': 'later' * self.busy + '\n'})

        with mock.patch.object(mirror.shutil, 'copy2', copying):
            self.update()
            self.assertEqual(len(self.said), 2)
            with open(self.place('tree/kernel/a.c'), encoding='utf-8') as f:
                self.assertEqual(f.read(), '\n')
            self.busy = 99
            self.fill({'kernel/a.c': 'again\n'})
            with self.assertRaisesRegex(Failure, 'files keep changing'):
                self.update()

    def test_a_file_that_vanishes_meanwhile(self):
        listed = mirror.listed

        def listing(root):
            names = listed(root)
            if os.path.exists(os.path.join(root, 'kernel/b.c')):
                os.unlink(os.path.join(root, 'kernel/b.c'))
            return names

        with mock.patch.object(mirror, 'listed', listing):
            self.update()
        self.assertEqual(self.copied(), set(FILES) - {'kernel/b.c'})

    def test_a_file_that_cannot_be_read(self):
        with mock.patch.object(mirror.shutil, 'copy2',
                               side_effect=PermissionError(13, 'Permission denied')), \
                self.assertRaisesRegex(Failure, 'cannot read .gitignore: Permission denied'):
            self.update()
