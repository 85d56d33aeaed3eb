# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mail.py: the forms in which people send a patch."""

import email.message
import gzip
import unittest

from tdxtest.base.failure import UsageError
from tdxtest.tree import mail

DIFF = '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a = 1\n+a = 2\n'


def message(subject, text, *attachments, **headers):
    """A mail as text; attachments: (content, subtype of application, name)."""
    made = email.message.EmailMessage()
    made['Subject'] = subject
    for name, value in headers.items():
        made[name.replace('_', '-')] = value
    made.set_content(text)
    for content, subtype, name in attachments:
        data = content if isinstance(content, bytes) else content.encode()
        made.add_attachment(data, maintype='application', subtype=subtype, filename=name)
    return made.as_bytes()


def read(data):
    return mail.read_data('one.eml', data)


class Answers(unittest.TestCase):

    def test_diff_in_an_answer(self):
        for text in (f'Like this?\n\n--\n{DIFF}', f'> quoted\nLike this:\n\n{DIFF}\nBye',
                     f'Like this?\n\n-- \n{DIFF}'):
            [patch] = read(message('Re: [PATCH v2 1/3] KVM: Old', text))
            self.assertEqual((patch.label(), patch.version), ('[PATCH] Re: KVM: Old', 1))
            self.assertIn(DIFF.encode(), patch.body)

    def test_quoted_diff(self):
        quoted = ''.join(f'> {line}\n' for line in DIFF.splitlines())
        self.assertEqual(read(message('Re: [PATCH 1/3] KVM: Old', f'{quoted}Fine.\n')), [])

    def test_scissors(self):
        for line in ('-- >8 --', '--- 8< ---', '8<-----------------', '--->8--- cut here',
                     '------------------------------>8------------------------------'):
            text = (f'Like this:\n\n--- a/old\n{line}\nFrom: A <a@example.com>\n'
                    f'Subject: [PATCH v3 2/3] KVM:\n New\n\nThe changelog.\n---\n{DIFF}')
            [patch] = read(message('Re: [PATCH v2 1/3] KVM: Old', text))
            self.assertEqual(patch.label(), '[PATCH] KVM: New', line)
            self.assertTrue(patch.body.startswith(b'The changelog.\n'), line)
            [patch] = read(message('[PATCH v2 2/2] KVM: Old', text))
            self.assertEqual(patch.label(), '[PATCH 2/2] KVM: New', line)

    def test_scissors_below_the_diff(self):
        [patch] = read(message('Re: KVM: Old', f'{DIFF}\n-- >8 --\nSubject: Other\n\nwords\n'))
        self.assertEqual(patch.subject, 'Re: KVM: Old')

    def test_several_answers(self):
        first, second = (f'From a Thu Jan  1 00:00:00 1970\nSubject: Re: {name}\n\n{DIFF}'
                         .replace('a = 2', name).encode() for name in ('One', 'Two'))
        with self.assertRaisesRegex(UsageError, 'several answers with a diff: Re: One; Re: Two'):
            read(first + second)
        self.assertEqual(len(read(first + first)), 1)
        tagged = f'From a Thu Jan  1 00:00:00 1970\nSubject: [PATCH] KVM: A\n\n{DIFF}'.encode()
        self.assertEqual([p.subject for p in read(first + tagged)], ['KVM: A'])

    def test_an_answer_to_a_cover_letter(self):
        cover = b'From a Thu Jan  1 00:00:00 1970\nSubject: [PATCH 0/2] The cover\n\nwords\n'
        answer = f'From a Thu Jan  1 00:00:00 1970\nSubject: Re: x\n\n{DIFF}'.encode()
        self.assertEqual([p.subject for p in read(cover + answer)], ['The cover', 'Re: x'])


class Attachments(unittest.TestCase):

    def test_any_type(self):
        for subtype in ('octet-stream', 'x-patch', 'mbox', 'x-anything'):
            [patch] = read(message('[PATCH] KVM: One', 'It is attached.\n',
                                   (DIFF, subtype, 'one.patch')))
            self.assertEqual(patch.subject, 'KVM: One')
            self.assertIn(DIFF.encode(), patch.body)
        [patch] = read(message('[PATCH] KVM: One', 'Packed.\n',
                               (gzip.compress(DIFF.encode()), 'gzip', 'one.patch.gz'),
                               (b'\x7fELF\0\0', 'octet-stream', 'vmlinux')))
        self.assertIn(DIFF.encode(), patch.body)
        self.assertNotIn(b'ELF', patch.body)

    def test_mails_in_it(self):
        files = [(f'Subject: [PATCH {n}/2] KVM: {n}\n\ntext\n---\n{DIFF}', 'octet-stream',
                  f'{n}.patch') for n in (2, 1)]
        found = read(message('Two patches', 'They are attached.\n', *files))
        self.assertEqual([p.label() for p in found], ['[PATCH 2/2] KVM: 2', '[PATCH 1/2] KVM: 1'])
        inner = email.message_from_bytes(message('[PATCH] KVM: Inner', DIFF))
        outer = email.message.EmailMessage()
        outer['Subject'] = 'Fwd: [PATCH] KVM: Inner'
        outer.set_content('See below.\n')
        outer.add_attachment(inner)
        [patch] = read(outer.as_bytes())
        self.assertEqual(patch.subject, 'KVM: Inner')
        self.assertIn(DIFF.encode(), patch.body)

    def test_no_diff(self):
        self.assertEqual(read(message('A log', 'See it.\n', ('[ 1.0] x\n', 'octet-stream', 'log'))),
                         [])


class Text(unittest.TestCase):

    def test_forwarded(self):
        [patch] = read(message('Fwd: [PATCH v2 1/2] KVM: One', DIFF))
        self.assertEqual((patch.label(), patch.version), ('[PATCH 1/2] KVM: One', 2))

    def test_other_charset(self):
        data = (b'Subject: [PATCH] KVM: One\nContent-Type: text/plain; charset=iso-8859-1\n'
                b'Content-Transfer-Encoding: 8bit\n\n' + DIFF.encode() + b'caf\xe9\n')
        self.assertIn('café'.encode(), read(data)[0].body)
        self.assertIn(b'caf\xe9', read(data.replace(b'iso-8859-1', b'none-such'))[0].body)

    def test_flowed(self):
        head = (b'Subject: [PATCH] KVM: One\nContent-Type: text/plain; charset=utf-8; '
                b'format=flowed%s\n\n')
        text = (b'A long\nsentence \nis broken.\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n  one\n'
                b'-two\n+2\n-- \n2.47\n')
        [patch] = read(head % b'' + text)
        self.assertIn(b'\nsentence is broken.\n', patch.body)
        self.assertIn(b'@@\n one\n-two\n+2\n-- \n2.47', patch.body)
        [patch] = read(head % b'; delsp=yes' + text)
        self.assertIn(b'\nsentenceis broken.\n', patch.body)

    def test_html_only(self):
        made = email.message.EmailMessage()
        made['Subject'] = '[PATCH] KVM: One'
        made.set_content('<pre>diff --git a/f b/f\n@@ -1 +1 @@\n</pre>', subtype='html')
        with self.assertRaisesRegex(UsageError, 'one.eml: its diff is in HTML only'):
            read(made.as_bytes())

    def test_place(self):
        [patch] = read(f'Subject: [PATCH] KVM: One\nX: y\n\ntext\n---\n{DIFF}'.encode())
        self.assertEqual(patch.place(3), 'one.eml:6')
        [patch] = read(message('[PATCH] KVM: One', 'text\n', (DIFF, 'x-patch', 'a.patch')))
        self.assertEqual(patch.place(3), 'line 3 of its text')
        [plain] = read(DIFF.encode())
        self.assertEqual(plain.place(3), 'one.eml:3')
