# SPDX-License-Identifier: GPL-2.0-only
"""Tests of applying.py and diffs.py: patches in all forms, on a small tree."""

import os
import subprocess
import tempfile
import unittest

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.tree import applying, diffs
from tdxtest.tree.mail import Patch

NAME = 'arch/x86/kvm/a.c'
OLD = b'int a(void)\n{\n\tint x = 1;\n\n\tx += 2;\n\treturn x;\n}\n'
NEW = OLD.replace(b'+= 2', b'+= 3')
BODY = b'@@ -2,6 +2,6 @@\n {\n \tint x = 1;\n \n-\tx += 2;\n+\tx += 3;\n \treturn x;\n }\n'


def diff(old='a/', new='b/', body=BODY, name=NAME):
    head = f'diff --git {old}{name} {new}{name}\n' if old != 'plain/' else ''
    return f'{head}--- {old}{name}\n+++ {new}{name}\n'.encode() + body


class Tree(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.tree = os.path.join(folder.name, 'tree')
        for path, data in ((NAME, OLD), ('tools/a.c', OLD), ('arch/arm64/a.c', OLD)):
            write_if_changed(os.path.join(self.tree, path), data)

    def apply(self, *bodies, **options):
        applier = applying.Applier(self.tree, 'Linux 7', os.path.join(self.folder, 'review'),
                                   **options)
        applier.apply([Patch(f'KVM: {n}', n, len(bodies), 1, body, 'one.eml', 1)
                       for n, body in enumerate(bodies, 1)])
        return applier

    def refused(self, text, *bodies, **options):
        with self.assertRaisesRegex(Failure, text):
            self.apply(*bodies, **options)


class Forms(Tree):

    def test_prefixes(self):
        for old, new in (('a/', 'b/'), ('', ''), ('i/', 'w/'), ('c/', 'i/'), ('1/', '2/'),
                         ('plain/', 'plain/'), ('a/linux/', 'b/linux/'), ('linux.orig/', 'linux/')):
            self.assertEqual(self.apply(diff(old, new)).files, {NAME: NEW}, old)

    def test_new_file_without_prefix(self):
        body = b'@@ -0,0 +1 @@\n+int b;\n'
        text = (b'diff --git arch/x86/new/b.c arch/x86/new/b.c\nnew file mode 100644\n'
                b'--- /dev/null\n+++ arch/x86/new/b.c\n' + body)
        self.assertEqual(self.apply(text).files, {'arch/x86/new/b.c': b'int b;\n'})

    def test_without_context(self):
        bare = b'@@ -5 +5 @@\n-\tx += 2;\n+\tx += 3;\n'
        self.assertEqual(self.apply(diff(body=bare)).files, {NAME: NEW})
        write_if_changed(os.path.join(self.tree, NAME), b'\n' + OLD)
        self.refused(rf'has no context \(-U0\) and was not made of the {NAME}:5 of Linux 7; the '
                     'series is for kvm/next$', diff(body=bare), base='kvm/next')

    def test_only_added_without_context(self):
        bare = b'@@ -5,0 +6 @@\n+\tx += 3;\n'
        self.refused('has no context', diff(body=bare))
        index = b'index %s..0123456789ab 100644\n' % applying.blob_hash(OLD)[:12].encode()
        text = diff(body=bare).replace(b'--- a', index + b'--- a')
        self.assertEqual(self.apply(text).files,
                         {NAME: OLD.replace(b'2;\n', b'2;\n\tx += 3;\n')})

    def test_hash(self):
        path = os.path.join(self.tree, NAME)
        given = subprocess.run(['git', 'hash-object', path], capture_output=True, text=True,
                               check=True).stdout.strip()
        self.assertEqual(applying.blob_hash(OLD), given)


class Already(Tree):

    def test_whole(self):
        write_if_changed(os.path.join(self.tree, NAME), NEW)
        applier = self.apply(diff())
        self.assertEqual((applier.files, applier.notes),
                         ({}, ['[PATCH] KVM: 1: already in Linux 7']))

    def test_what_a_patch_before_did(self):
        applier = self.apply(diff(), diff())
        self.assertEqual((applier.files, applier.already), ({NAME: NEW}, []))
        self.assertEqual(applier.notes, ['[PATCH 2/2] KVM: 2: done by a patch before it'])

    def test_one_of_two_files(self):
        write_if_changed(os.path.join(self.tree, 'arch/x86/kvm/b.c'), NEW)
        applier = self.apply(diff() + diff(name='arch/x86/kvm/b.c'))
        self.assertEqual(applier.files, {NAME: NEW})
        self.assertEqual(applier.notes,
                         ['[PATCH] KVM: 1: already in Linux 7: arch/x86/kvm/b.c'])

    def test_one_of_two_hunks(self):
        old = OLD + b'\n' * 9 + OLD
        write_if_changed(os.path.join(self.tree, NAME), NEW + b'\n' * 9 + OLD)
        applier = self.apply(diff(body=BODY + BODY.replace(b'@@ -2,6 +2,6', b'@@ -18,6 +18,6')))
        self.assertEqual(applier.files, {NAME: old.replace(b'+= 2', b'+= 3')})
        self.assertIn(f'already in Linux 7: a part of {NAME}', applier.notes[0])


class LeftOut(Tree):

    def test_what_no_kernel_is_made_of(self):
        conflict = BODY.replace(b'int x', b'int y')
        for path in ('tools/a.c', 'arch/arm64/a.c', 'Documentation/none.rst', 'MAINTAINERS'):
            applier = self.apply(diff() + diff(name=path, body=conflict))
            self.assertEqual(applier.files, {NAME: NEW}, path)
            self.assertEqual(applier.notes, [f'[PATCH] KVM: 1: does not apply to {path}, which no '
                                             'x86 kernel is made of; left out'])

    def test_a_conflict_that_matters(self):
        conflict = BODY.replace(b'int x', b'int y')
        self.refused(rf'does not apply to Linux 7: .*{NAME}:2; the series is for v9',
                     diff(name='tools/a.c', body=conflict) + diff(body=conflict), base='v9')

    def test_built_paths(self):
        for path, built in (('arch/x86/kvm/a.c', True), ('arch/Kconfig', True),
                            ('MAINTAINERS', False), ('arch/s390/a.c', False),
                            ('include/linux/tools/a.h', True)):
            self.assertEqual(applying.is_built(path), built, path)


class WhiteSpace(Tree):

    def test_tabs_to_spaces(self):
        body = BODY.replace(b'\t', b'        ')
        self.refused(rf"white space is damaged: one.eml:6: wanted '\\tint x = 1;' as in {NAME}:3, "
                     "got '        int x = 1;'; .*--ignore-whitespace", diff(body=body))
        self.assertEqual(self.apply(diff(body=body), loose=True).files,
                         {NAME: NEW.replace(b'\tx += 3', b'        x += 3')})

    def test_spaces_that_are_none(self):
        body = BODY.replace(b'int x', b'int\xc2\xa0x')
        self.refused('white space is damaged: one.eml:6: ', diff(body=body))
        self.assertEqual(self.apply(diff(body=body), loose=True).files, {NAME: NEW})

    def test_lost_first_blanks(self):
        body = BODY.replace(b'\n ', b'\n')
        self.refused('white space is damaged: one.eml:5: the blank at its start is lost',
                     diff(body=body))
        self.assertEqual(self.apply(diff(body=body), loose=True).files, {NAME: NEW})

    def test_broken_lines(self):
        body = BODY.replace(b'int x = 1', b'int x =\n1')
        self.refused('white space is damaged: one.eml:7: a long line was broken', diff(body=body))
        self.assertEqual(self.apply(diff(body=body), loose=True).files, {NAME: NEW})

    def test_empty_lines_without_a_blank(self):
        self.assertEqual(self.apply(diff(body=BODY.replace(b'\n \n', b'\n\n'))).files, {NAME: NEW})

    def test_another_fault_is_none_of_white_space(self):
        self.refused('does not apply', diff(body=BODY.replace(b'int x', b'int y')))
        self.refused('does not apply', diff(body=BODY.replace(b'int x', b'int y')), loose=True)


class Merge(Tree):

    def test_from_their_own_files(self):
        """A patch of another base merges if git has the files that it was made of."""
        checkout = os.path.join(self.folder, 'checkout')
        write_if_changed(os.path.join(checkout, NAME), OLD)

        def git(*words):
            return subprocess.run(['git', '-C', checkout, '-c', 'user.name=a', '-c',
                                   'user.email=a@b', *words], check=True,
                                  capture_output=True).stdout

        git('init', '-q')
        git('add', '.')
        git('commit', '-q', '-m', 'one')
        write_if_changed(os.path.join(checkout, NAME), NEW)
        text = git('diff', '-U3')
        # The tree differs in the context, too far from the change for a conflict.
        moved = b'int a(void)\n{\n\tint y = 1;\n\n\tx += 2;\n\treturn x;\n}\n'
        write_if_changed(os.path.join(self.tree, NAME), moved)
        self.refused('does not apply', text)
        objects = os.path.join(checkout, '.git/objects')
        applier = self.apply(text, objects=objects)
        self.assertEqual(applier.files, {NAME: moved.replace(b'+= 2', b'+= 3')})
        self.assertIn('merged from the files', applier.notes[0])
        write_if_changed(os.path.join(self.tree, NAME), moved.replace(b'+= 2', b'+= 4'))
        self.refused('does not apply', text, objects=objects)


class Parse(unittest.TestCase):

    def test_counts_end_a_hunk(self):
        text = b'words\n--- not a diff\n\n' + diff() + b'-- \n2.47\n' + diff(name='arch/b.c')
        found = diffs.parse(text)
        self.assertEqual([one.paths(1)[-1] for one in found], [NAME, 'arch/b.c'])
        self.assertEqual([hunk.counts for one in found for hunk in one.hunks], [(6, 6)] * 2)
        self.assertIsNone(diffs.damage(found))
        self.assertEqual(found[0].text(), diff())
