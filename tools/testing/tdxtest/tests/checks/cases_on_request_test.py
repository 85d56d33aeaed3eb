# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of cases_on_request.py."""

import unittest

from tdxtest.checks.cases_on_request import unskipped, wrong
from tdxtest.checks.skip_reasons import REQUESTS
from tdxtest.tests.checks.skip_reasons_test import KNOWN, run


class OnRequest(unittest.TestCase):
    CASES = ['a_test:f.v.a']

    def test_a_case_that_passes_is_right(self):
        self.assertEqual(list(wrong(self.CASES, run(('f.v.a', True, '')))), [])

    def test_one_that_fails_skips_or_does_not_come_is_told(self):
        for cases in ((('f.v.a', False, 'wanted 1, got 2'),),
                      (('f.v.a', True, f'SKIP {KNOWN}'),),
                      (('f.v.b', True, ''),)):
            told, = wrong(self.CASES, run(*cases))
            self.assertIn('a_test:f.v.a', told)

    def test_problems_count(self):
        warned = run(('f.v.a', True, ''), problems=['a_test: not ok'])
        self.assertEqual(list(wrong(self.CASES, warned)), ['a_test: not ok'])

    def test_a_reason_without_a_case_is_told(self):
        found = {reason: ['a_test:f.v.a'] for reason in REQUESTS}
        self.assertEqual(list(unskipped(found)), [])
        del found[KNOWN]
        told, = unskipped(found)
        self.assertIn(KNOWN, told)

    def test_a_reason_of_older_kernels_need_not_come(self):
        found = {reason: ['a_test:f.v.a'] for reason, request in REQUESTS.items()
                 if not (request and request.older)}
        self.assertLess(len(found), len(REQUESTS))
        self.assertEqual(list(unskipped(found)), [])
