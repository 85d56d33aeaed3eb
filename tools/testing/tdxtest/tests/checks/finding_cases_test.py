# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check that holds findings, fixes and marks together."""

import unittest

from tdxtest.checks import finding_cases
from tdxtest.tests.verdict.findings_test import PAGE
from tdxtest.verdict import findings

FOUND = (findings.parse('0007-a.rst', PAGE),)
SOURCE = """\
TDX_FINDING(7, "f.v.one");
TDX_FINDING(7, "f.v.two");
TDX_FINDING(7, "f.w.one");
"""
OTHER = 'TDX_FINDING(7, "global.x");\n'


class Cases(unittest.TestCase):

    def wrong(self, **texts):
        return list(finding_cases.wrong_cases(FOUND, finding_cases.marks_of(texts)))

    def test_marks(self):
        self.assertEqual(finding_cases.marks_of({'a_test': SOURCE, 'b_test': OTHER}),
                         {'a_test:f.v.one': 7, 'a_test:f.v.two': 7, 'a_test:f.w.one': 7,
                          'b_test:global.x': 7})

    def test_both_have_the_same(self):
        self.assertEqual(self.wrong(a_test=SOURCE, b_test=OTHER), [])

    def test_a_case_without_a_mark(self):
        self.assertEqual(self.wrong(a_test=SOURCE),
                         ['findings/0007-a.rst: b_test:global.x: no case has the mark of '
                          'finding 7'])
        self.assertEqual(len(self.wrong(a_test=SOURCE.replace('(7,', '(8,'), b_test=OTHER)), 2 + 3)

    def test_a_mark_without_a_finding(self):
        self.assertEqual(self.wrong(a_test=SOURCE, b_test=OTHER + 'TDX_FINDING(7, "f.y");\n'),
                         ['b_test:f.y: has the mark of finding 7, which does not name it'])


class Fixes(unittest.TestCase):

    def test_each_has_the_other(self):
        fix = 'fixes/0007-x.patch'
        self.assertEqual(list(finding_cases.wrong_fixes(FOUND, [fix])), [])
        self.assertEqual(list(finding_cases.wrong_fixes(FOUND, [fix, 'fixes/0009-y.patch'])),
                         ['patches/fixes/0009-y.patch: no finding has this fix'])
        [text] = finding_cases.wrong_fixes(FOUND, [])
        self.assertIn('got fixes/0007-x.patch', text)

    def test_the_number_of_another(self):
        other = (findings.parse('0007-a.rst', PAGE.replace('fixes/0007', 'fixes/0008')),)
        self.assertEqual(len(list(finding_cases.wrong_fixes(other, ['fixes/0008-x.patch']))), 1)

    def test_a_fix_that_the_cases_need(self):
        page = PAGE.replace(':Fix:', ':Needs: 7 8\n:Fix:')
        found = (findings.parse('0007-a.rst', page),)
        self.assertEqual(list(finding_cases.wrong_fixes(found, ['fixes/0007-x.patch'])),
                         ['findings/0007-a.rst: needs the fix of finding 8, which has none'])

    def test_no_fix(self):
        none = (findings.parse('0007-a.rst', PAGE.replace('fixes/0007-x.patch',
                                                          'none: an opinion')),)
        self.assertEqual(list(finding_cases.wrong_fixes(none, [])), [])


class Mails(unittest.TestCase):
    FIX = 'From 1\nSubject: x\n\nWhy.\n---\n a.c | 1 +\n\ndiff --git a/a.c b/a.c\n+x\n'
    MAIL = FIX.replace('---\n', '---\nIt was seen.\n\n').replace('Subject', 'To: me\nSubject')

    def test_a_mail_has_a_fix(self):
        self.assertEqual(list(finding_cases.wrong_mails({'m': self.MAIL}, {'f': self.FIX})), [])

    def test_another_patch(self):
        for old, new in (('+x', '+y'), ('Why.', 'Because.')):
            mail = self.MAIL.replace(old, new)
            [text] = finding_cases.wrong_mails({'m': mail}, {'f': self.FIX})
            self.assertIn('m: wanted the changelog', text)
