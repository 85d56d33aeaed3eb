# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of cases_on_request.py."""

import io
import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.checks import cases_on_request
from tdxtest.checks.cases_on_request import run_suite, unskipped, wrong
from tdxtest.checks.skip_reasons import REQUESTS
from tdxtest.tree import suite
from tdxtest.tests.checks.skip_reasons_test import KNOWN, run
from tdxtest.verdict import results


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


class RunSuite(unittest.TestCase):
    TOOL = """import json, sys
print("[ 0.0s] begins")
if sys.argv[-1] == "fails":
    sys.exit("no kernel")
with open(sys.argv[sys.argv.index("--build") + 1] + "/results.json", "w") as f:
    f.write(%r)
sys.exit(1)
"""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        os.makedirs(os.path.join(self.folder, 'logs'))
        tool = os.path.join(self.folder, 'tool.py')
        with open(tool, 'w', encoding='utf-8') as f:
            f.write(self.TOOL % results.to_json([run(('f.v.a', False, 'wanted 1'))]))
        self.enterContext(mock.patch.object(cases_on_request, 'TOOL', tool))
        self.out = io.StringIO()
        self.built = mock.Mock(progress=Progress(self.out))
        self.built.build = Build(self.folder, self.built.progress)
        self.addCleanup(self.built.build.close)

    def test_it_says_what_it_runs_and_gives_what_failed_too(self):
        got = run_suite(self.built, '--patch', 'fixes/0003')
        self.assertFalse(got['tests'][0]['cases'][0]['ok'])
        self.assertIn('run: --patch fixes/0003\n', self.out.getvalue())

    def test_many_tests_are_counted(self):
        tests = suite.names()
        self.assertEqual(cases_on_request.told(['--patch', 'fixes/0003', *tests[:3]]),
                         ' '.join(['--patch', 'fixes/0003', *tests[:3]]))
        self.assertEqual(cases_on_request.told(['--patch', 'fixes/0003', *tests[:4]]),
                         '--patch fixes/0003 4 test(s)')
        self.assertEqual(cases_on_request.told(['--cpus', '2', *(f'{t}:f.x' for t in tests[:5])]),
                         '--cpus 2 5 case(s)')
        self.assertEqual(cases_on_request.told([]), 'the whole suite')

    def test_a_run_without_results_does_not_give_the_last_ones(self):
        run_suite(self.built)
        with self.assertRaisesRegex(Failure, 'no kernel'):
            run_suite(self.built, 'fails')
