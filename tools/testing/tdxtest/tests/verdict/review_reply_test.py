# SPDX-License-Identifier: GPL-2.0-only
"""Tests of review_reply.py: a mail that can be sent, and JSON."""

import dataclasses
import email
import email.policy
import json
import unittest

from tdxtest.tree import mbox
from tdxtest.verdict import hang, review_reply
from tdxtest.verdict.comparison import Change, Comparison

WHO = 'A Reviewer <reviewer@example.com>'
SERIES = mbox.Series('KVM: Two things', 2, (mbox.Patch('KVM: One', 1, 1, 2, b''),), '',
                     '<one@example.com>', '[PATCH v2 0/1] KVM: Two things',
                     'A U Thor <author@example.com>')
HANG = hang.Hang('no console output for 180 s', 'a_test', 'f.x', ('tdx_map_gpa',) * 30,
                 ('tdx_map_gpa',))
GREEN = Comparison(SERIES, '7.3.4', 'single objects', [], [], 7, [], [])


def red(count):
    return [Change('a_test', f'f.case_{n}', 'ok', 'not ok', 'R10: wanted RETRY, got ' + 'x ' * 60)
            for n in range(count)]


def reply(found, who=WHO):
    text = review_reply.mail(found, who)
    made = email.message_from_string(text, policy=email.policy.default)
    return made, made.get_content()


class Mail(unittest.TestCase):

    def test_green(self):
        made, body = reply(GREEN)
        self.assertEqual((made['Subject'], made['In-Reply-To'], made['To'], made['From']),
                         ('Re: [PATCH v2 0/1] KVM: Two things', '<one@example.com>',
                          'A U Thor <author@example.com>', WHO))
        self.assertIn('no case changed; 7 case(s) as before', ' '.join(body.split()))
        self.assertTrue(body.endswith(f'\n\nTested-by: {WHO}\n'))
        self.assertNotIn('Tested-by', reply(GREEN, '')[1])

    def test_no_tested_by(self):
        for change in ({'changes': red(1)}, {'problems': ['the kernel warned: x']},
                       {'hangs': [HANG]},
                       {'red_before': ['a_test: TIMEOUT']}, {'notes': ['left out']}, {'same': 0}):
            _, body = reply(dataclasses.replace(GREEN, **change))
            self.assertNotIn('Tested-by', body, change)

    def test_what_went_red(self):
        _, body = reply(dataclasses.replace(GREEN, changes=red(1)))
        self.assertIn('1 case(s): went red\n\n  a_test:f.case_0\n    R10: wanted RETRY', body)

    def test_short(self):
        changes = red(50) + [dataclasses.replace(change, before='not ok', after='ok')
                             for change in red(9)]
        found = dataclasses.replace(GREEN, changes=changes, problems=['hung ' * 40] * 9,
                                    notes=['left out ' * 30] * 9, red_before=['old ' * 40] * 9)
        for case in (found, dataclasses.replace(GREEN, changes=changes)):
            lines = reply(case)[1].splitlines()
            self.assertLess(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn('  and 47 more', reply(dataclasses.replace(GREEN, changes=changes))[1])

    def test_a_hang_comes_first(self):
        _, body = reply(dataclasses.replace(GREEN, hangs=[HANG], changes=red(9)))
        self.assertLess(body.index('the guest hangs in a_test:f.x'), body.index('went red\n'))
        self.assertIn('tdx_map_gpa  <- changed by the series', body)
        self.assertLess(len(body.splitlines()), 40)

    def test_json(self):
        data = json.loads(review_reply.as_json(
            dataclasses.replace(GREEN, changes=red(1), hangs=[HANG])))
        self.assertEqual(data['hangs'][0]['where'], 'hangs in a_test:f.x')
        self.assertEqual((data['format'], data['status'], data['changes'][0]['kind'],
                          data['changes'][0]['red'], data['series']['message_id']),
                         ('tdxtest-review-1', 1, 'went red', True, '<one@example.com>'))
