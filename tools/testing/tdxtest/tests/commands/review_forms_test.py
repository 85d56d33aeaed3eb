# SPDX-License-Identifier: GPL-2.0-only
"""The command review, given mail in the forms that people send: what it says, and its status.

The kernel is a tree of a few files; no module is built, and nothing is booted.
"""

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.progress import Progress
from tdxtest.commands import review
from tdxtest.kvm import rebuild
from tdxtest.verdict.comparison import Comparison

TDX = 'arch/x86/kvm/vmx/tdx.c'
OLD = b'case RETRY:\n\trc = 1;\n\tgoto out;\ncase FAIL:\n\trc = 2;\n'
BODY = ('@@ -1,5 +1,5 @@\n case RETRY:\n \trc = 1;\n-\tgoto out;\n+\tfallthrough;\n'
        ' case FAIL:\n \trc = 2;\n')
DIFF = f'diff --git a/{TDX} b/{TDX}\n--- a/{TDX}\n+++ b/{TDX}\n{BODY}'
CONFLICT = '@@ -1,2 +1,3 @@\n no tree\n+has\n this\n'
HEAD = 'From: A U Thor <author@example.com>\nMessage-ID: <1@example.com>\nSubject: {}\n\n'


def change_of(path, body=BODY):
    return f'diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{body}'


def mail(text, subject='[PATCH] KVM: TDX: Fall through'):
    return HEAD.format(subject) + text


class Forms(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        for path in (TDX, 'tools/a.c', 'arch/arm64/a.c'):
            write_if_changed(os.path.join(self.folder, 'tree', path), OLD)
        write_if_changed(os.path.join(self.folder, 'out', TDX[:-2] + '.o'), b'object')
        kernel = mock.Mock(out=os.path.join(self.folder, 'out'))
        kernel.work.tree = os.path.join(self.folder, 'tree')
        kernel.work.source = mock.Mock(version='7.3.4', pristine='')
        self.built = mock.Mock(kernel=kernel, progress=Progress(io.StringIO()))
        self.built.work.out.return_value = os.path.join(self.folder, 'review')

    def review(self, text, *words, standard_input=False):
        """(status, what it printed) of a review; patches that apply make no case red."""
        path = os.path.join(self.folder, 'the.eml')
        write_if_changed(path, text.encode())
        out = io.StringIO()

        def compared(made, _tests):
            return Comparison(made.series, '7.3.4', made.built, [], [], 3, [],
                              sorted(set(made.patched.files) - set(made.patched.built_files())),
                              made.patched.notes)

        self.built.configure_mock(progress=Progress(out))
        with mock.patch.object(review.stages, 'prepare', return_value=self.built), \
                mock.patch.object(rebuild.Patched, 'build_objects', return_value={}), \
                mock.patch.object(review.Review, 'run', compared), \
                mock.patch('sys.stdin', mock.Mock(buffer=io.BytesIO(text.encode()))), \
                contextlib.redirect_stderr(out):
            status = program.main(['review', *words, '-' if standard_input else path])
        return status, out.getvalue()

    def says(self, status, said, text, *words, **more):
        got, printed = self.review(text, *words, **more)
        self.assertEqual(got, status, printed)
        self.assertIn(said, printed)
        return printed

    def test_what_is_reviewed(self):
        for text in (mail(DIFF), DIFF, mail(f'Like this?\n\n--\n{DIFF}', 'Re: [PATCH 1/3] x'),
                     mail(f'Like this?\n\n-- >8 --\nSubject: [PATCH] y\n\n---\n{DIFF}', 'Re: x'),
                     DIFF.replace('a/arch', 'arch').replace('b/arch', 'arch'),
                     DIFF.replace('a/arch', 'i/arch').replace('b/arch', 'w/arch'),
                     DIFF.replace(BODY, '@@ -3 +3 @@\n-\tgoto out;\n+\tfallthrough;\n')):
            self.says(0, 'single objects built anew', text)
            self.says(0, 'single objects built anew', text, standard_input=True)

    def test_the_subject_is_from_below_the_scissors(self):
        self.says(0, '\nKVM: New\n1 patch(es)',
                  mail(f'Like this?\n\n-- >8 --\nSubject: [PATCH v2] KVM: New\n\n---\n{DIFF}',
                       'Re: [PATCH 1/3] KVM: Old'))

    def test_one_of_many(self):
        text = mail(DIFF, '[PATCH 7.3 112/404] KVM: TDX: Fall through')
        printed = self.says(2, 'is patch 112 of 404 of its series; ', text)
        self.assertIn('--alone', printed)
        self.assertLess(len(printed), 300)
        self.says(0, 'single objects built anew', text, '--alone')

    def test_already_there(self):
        back = BODY.replace('-\tgoto out;\n+\tfallthrough', '-\tfallthrough;\n+\tgoto out')
        self.says(2, 'already in Linux 7.3.4: [PATCH] KVM: TDX: Fall through',
                  mail(change_of(TDX, back)))

    def test_damaged_white_space(self):
        for text, line in ((DIFF.replace('\t', '        '), 'the.eml:10: wanted'),
                           (DIFF.replace('\n ', '\n'), 'the.eml:9: the blank at its start')):
            printed = self.says(125, 'white space is damaged: ', mail(text))
            self.assertIn(line, printed)
            self.says(0, 'single objects built anew', mail(text), '--ignore-whitespace')

    def test_what_no_kernel_is_made_of(self):
        self.says(0, 'does not apply to tools/a.c, which no x86 kernel is made of; left out',
                  mail(DIFF + change_of('tools/a.c', CONFLICT)))
        self.says(2, 'changes no file that a kernel is made of',
                  mail(change_of('tools/a.c', CONFLICT)))
        self.says(2, 'changes no file that a kernel is made of', mail(change_of('tools/a.c')))
        self.says(0, 'single objects built anew', mail(DIFF + change_of('arch/arm64/a.c')))

    def test_another_base(self):
        self.says(125, f'does not apply to Linux 7.3.4: error: patch failed: {TDX}:1'
                       '; the series is for kvm-x86/next',
                  mail('This applies to kvm-x86/next.\n---\n' + change_of(TDX, CONFLICT)))
