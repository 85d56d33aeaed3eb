# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mbox.py: what mail makes of a patch series."""

import base64
import email
import email.message
import gzip
import io
import os
import quopri
import tempfile
import unittest
from unittest import mock

from tdxtest.base.failure import UsageError
from tdxtest.tree import mbox
from tdxtest.tree.mail import read_message

DIFF = b'--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a = 1\n+a = 2\n'


def mail(subject, body, encoding='8bit'):
    coded = {'8bit': lambda b: b, 'base64': base64.encodebytes,
             'quoted-printable': quopri.encodestring}[encoding](body)
    head = (f'From git@z Thu Jan  1 00:00:00 1970\nSubject: {subject}\n'
            'Content-Type: text/plain; charset=utf-8\n'
            f'Content-Transfer-Encoding: {encoding}\n\n')
    return head.encode(errors='surrogateescape') + coded + b'\n\n'


class Read(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, data, name='series.mbox'):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as f:
            f.write(data)
        return path

    def series(self, *mails):
        return mbox.read([self.file(b''.join(mails))])

    def test_order_cover_and_encodings(self):
        series = self.series(
            mail('[PATCH v2 2/2] KVM: Second', b'text\n---\n' + DIFF, 'base64'),
            mail('Re: [PATCH v2 1/2] KVM: First', b'> ' + DIFF),
            mail('[PATCH v2 0/2] The cover', b'a = 1 became a = 2\n'),
            mail('[PATCH v2 1/2] KVM:\n First', b'text\n---\n' + DIFF, 'quoted-printable'))
        self.assertEqual(series.title, 'The cover')
        self.assertEqual([p.subject for p in series.patches], ['KVM: First', 'KVM: Second'])
        for patch in series.patches:
            self.assertIn(DIFF, patch.body)
        self.assertEqual(series.patches[0].label(), '[PATCH 1/2] KVM: First')

    def test_newest_version(self):
        series = self.series(mail('[PATCH 1/1] KVM: Old', DIFF),
                             mail('[RFC PATCH v10 1/1] KVM: New', DIFF),
                             mail('[PATCH v9 1/1] KVM: Older', DIFF))
        self.assertEqual((series.version, series.title), (10, 'KVM: New'))

    def test_tags(self):
        for tag, version, number in (
                ('[PATCH 2/2]', 1, 2), ('[PATCHv3 2/2]', 3, 2), ('[RFC 2/2]', 1, 2),
                ('[RFC PATCHv3 2/2]', 3, 2), ('[RFC v4 2/2]', 4, 2), ('[RFCv4 2/2]', 4, 2),
                ('[PATCH RESEND V5 kvm-next 2/2]', 5, 2), ('[RFC][PATCH v6 2/2]', 6, 2),
                ('[kvm] [patch 2/2]', 1, 2), ('[PATCH v7]', 7, 1)):
            message = email.message_from_bytes(mail(f'{tag} KVM: x', DIFF).split(b'\n', 1)[1])
            patch = read_message(message)
            self.assertEqual((patch.version, patch.number, patch.subject),
                             (version, number, 'KVM: x'), tag)
        for subject in ('Re: [PATCH 1/2] KVM: x', '[ANNOUNCE] x', 'x [PATCH]', '[DISPATCH] x'):
            self.assertIsNone(read_message({'Subject': subject}), subject)

    def test_without_tags(self):
        series = self.series(mail('KVM: First', DIFF), mail('Re: KVM: First', b'x\n' + DIFF),
                             mail('Thanks', b'applied\n'), mail('KVM: Second', DIFF))
        self.assertEqual([p.label() for p in series.patches],
                         ['[PATCH 1/2] KVM: First', '[PATCH 2/2] KVM: Second'])

    def test_missing(self):
        with self.assertRaisesRegex(UsageError, 'of 3 patches .* there is no 2; .*--alone'):
            self.series(mail('[PATCH 1/3] A', DIFF), mail('[PATCH 3/3] C', DIFF))

    def test_one_of_many(self):
        one = self.file(mail('[PATCH 7.3 112/404] KVM: A', DIFF))
        with self.assertRaisesRegex(UsageError, 'is patch 112 of 404 of its series; .*--alone$'):
            mbox.read([one])
        series = mbox.read([one], alone=True)
        self.assertEqual(series.patches[0].label(), '[PATCH 112/404] KVM: A')
        some = self.file(b''.join(mail(f'[PATCH {n}/99] KVM: {n}', DIFF)
                                  for n in (1, 2, 4, 9, 50, 51)))
        with self.assertRaisesRegex(UsageError, 'there is no 3, 5-8, 10-49 and 1 more range'):
            mbox.read([some])
        self.assertEqual(len(mbox.read([some], alone=True).patches), 6)

    def test_standard_input(self):
        data = mock.Mock(buffer=io.BytesIO(gzip.compress(mail('[PATCH] KVM: One', DIFF))))
        with mock.patch('sys.stdin', data):
            self.assertEqual(mbox.read(['-']).title, 'KVM: One')
            with self.assertRaisesRegex(UsageError, '^standard input holds neither'):
                mbox.read(['-'])
        with self.assertRaisesRegex(UsageError, 'twice'):
            mbox.read(['-', '-'])

    def test_base(self):
        commit = b'0123456789abcdef0123456789abcdef01234567'
        for said, base in (
                (b'This applies to kvm-x86/next.', 'kvm-x86/next'),
                (b'The series is based on top of\nv6.17-rc3, as usual', 'v6.17-rc3'),
                (b'Based on the latest linux-next', 'linux-next'),
                (b'It applies cleanly on v7.2', 'v7.2'),
                (b'base-commit: ' + commit, 'base-commit ' + commit.decode()),
                (b'Only words, based on nothing.', '')):
            series = self.series(mail('[PATCH 0/1] The cover', said + b'\n'),
                                 mail('[PATCH 1/1] KVM: A', DIFF))
            self.assertEqual(series.base, base, said)
        series = self.series(mail('[PATCH] KVM: A', DIFF + b'\nbase-commit: ' + commit + b'\n'))
        self.assertIn('base-commit 0123', series.base)

    def test_newest_version_of_another_length(self):
        series = self.series(mail('[PATCH 1/1] KVM: Old', DIFF),
                             mail('[PATCH v2 1/2] KVM: A', DIFF), mail('[PATCH] Fix', DIFF),
                             mail('[PATCH v2 2/2] KVM: B', DIFF))
        self.assertEqual([p.subject for p in series.patches], ['KVM: A', 'KVM: B'])

    def test_several_series(self):
        with self.assertRaisesRegex(UsageError, r'holds several series of version 2: \[PATCH 1/2\] '
                                                r'KVM: A; \[PATCH\] Fixup; give'):
            self.series(mail('[PATCH v2 1/2] KVM: A', DIFF), mail('[PATCH v2 2/2] KVM: B', DIFF),
                        mail('[PATCH v2] Fixup', DIFF))

    def test_one_number_for_two_patches(self):
        other = DIFF.replace(b'2', b'3')
        for subject, diff in (('KVM: A', other), ('KVM: C', DIFF)):
            with self.assertRaisesRegex(UsageError, r'two different patches: \[PATCH 1/2\] KVM: A '
                                                    rf'and \[PATCH 1/2\] {subject}$'):
                self.series(mail('[PATCH 1/2] KVM: A', DIFF), mail('[PATCH 2/2] KVM: B', DIFF),
                            mail(f'[RFC PATCH 1/2] {subject}', diff))
        # A list adds to the end of what goes through it.
        end = b'-- \n2.39.5\n\n'
        series = self.series(mail('[PATCH] KVM: A', DIFF + end),
                             mail('[PATCH] KVM: A', DIFF + end + b'____\nlist@example.com\n'))
        self.assertEqual(len(series.patches), 1)

    def test_twice_and_crlf(self):
        one = mail('[PATCH] KVM: One', DIFF.replace(b'\n', b'\r\n'))
        series = self.series(one, one)
        self.assertEqual(len(series.patches), 1)
        self.assertIn(DIFF, series.patches[0].body)
        self.assertEqual(series.patches[0].label(), '[PATCH] KVM: One')

    def test_plain_diff_and_several_files(self):
        first = self.file(DIFF, 'a.diff')
        second = self.file(mail('[PATCH 2/9] KVM: B', DIFF), 'b.patch')
        self.assertEqual(mbox.read([first]).patches[0].body, DIFF)
        self.assertEqual([p.subject for p in mbox.read([first, second]).patches],
                         ['a.diff', 'KVM: B'])

    def test_several_files_and_what_is_no_patch(self):
        # A cover letter may quote a diff from the version before.
        cover = self.file(mail('[PATCH v3 0/1] The cover', DIFF), '0000.patch')
        patch = self.file(mail('[PATCH v3 1/1] KVM: A', DIFF), '0001.patch')
        series = mbox.read([cover, patch])
        self.assertEqual((series.title, series.version, len(series.patches)), ('The cover', 3, 1))
        for subject in ('Re: [PATCH v3 1/1] KVM: A', '[PATCH v3 1/1] KVM: A'):
            answer = self.file(mail(subject, b'fine\n'), 'answer.eml')
            with self.assertRaisesRegex(UsageError, 'answer.eml holds no patch'):
                mbox.read([patch, answer])
        with self.assertRaisesRegex(UsageError, '0000.patch, .*0000.patch holds no patch'):
            mbox.read([cover, cover])
        box = self.file(mail('[PATCH] KVM: Old', DIFF) + mail('[PATCH v2 2/2] KVM: C', DIFF) +
                        mail('[PATCH v2 1/2] KVM: B', DIFF), 'series.mbox')
        self.assertEqual([p.subject for p in mbox.read([patch, box]).patches],
                         ['KVM: A', 'KVM: B', 'KVM: C'])

    def test_packed(self):
        data = gzip.compress(mail('[PATCH] KVM: One', DIFF))
        self.assertEqual(mbox.read([self.file(data, 't.mbox.gz')]).title, 'KVM: One')
        for broken in (data[:-9], data[:20] + b'?' + data[21:], data[:3]):
            with self.assertRaisesRegex(UsageError, 't.mbox.gz: '):
                mbox.read([self.file(broken, 't.mbox.gz')])

    def test_one_mail_begins_with_any_header(self):
        head = b'MIME-Version: 1.0\nSubject: [PATCH] KVM: One\n\n'
        series = mbox.read([self.file(head + b'text\n' + DIFF, 'one.eml')])
        self.assertEqual((series.title, series.patches[0].body), ('KVM: One', b'text\n' + DIFF))
        # These look like headers, and are of a diff.
        for head in (b'Index: linux/f\n====\n', b'KVM: Fix it\n\nIt was broken.\n'):
            series = mbox.read([self.file(head + DIFF, 'fix.diff')])
            self.assertEqual(series.title, 'fix.diff')
            self.assertIn(DIFF, series.patches[0].body)

    def test_a_changelog_that_says_from(self):
        text = b'A sentence begins.\n\nFrom here on it is another.\n' + DIFF
        self.assertIn(DIFF, self.series(mail('[PATCH] KVM: One', text)).patches[0].body)

    def test_line_ends(self):
        path = self.file(DIFF.replace(b'\n', b'\r\n'), 'a.diff')
        self.assertEqual(mbox.read([path]).patches[0].body, DIFF)
        path = self.file(mail('[PATCH] KVM: One', DIFF).replace(b'\n', b'\r\n'))
        self.assertIn(DIFF, mbox.read([path]).patches[0].body)

    def test_parts(self):
        message = email.message.EmailMessage()
        message['Subject'] = '[PATCH] KVM: One'
        message.set_content('text\n')
        message.add_alternative('<pre>--- a/f\n+++ b/g</pre>', subtype='html')
        message.add_attachment(DIFF.decode(), subtype='x-patch')
        body = mbox.read([self.file(message.as_bytes(), 'one.eml')]).patches[0].body
        self.assertEqual(body, b'text\n\n' + DIFF)

    def test_subjects_that_nobody_can_read(self):
        bad = ('=?no-such-charset?q?Re=3A_x?=', '=?utf-8?b?AAA?=', '=?utf-8?q?=ff?=', '\udce4')
        for subject in bad:
            series = self.series(mail('[PATCH] KVM: One', DIFF), mail(subject, b'text\n'))
            self.assertEqual(series.title, 'KVM: One', subject)

    def test_nothing_in_it(self):
        with self.assertRaisesRegex(UsageError, 'neither mail nor a diff'):
            mbox.read([self.file(b'hello\n')])
        with self.assertRaisesRegex(UsageError, 'holds no patch'):
            self.series(mail('[PATCH 0/2] The cover', b'only words\n'))
