# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of two_and_four_cpus.py."""

import types
import unittest
from unittest import mock

from tdxtest.checks import two_and_four_cpus
from tdxtest.checks.two_cpus import TOO_FEW
from tdxtest.guest import runs
from tdxtest.tests.checks.two_cpus_test import run
from tdxtest.tests.fakes import built
from tdxtest.verdict import judging

GOOD = judging.Verdict(0, 'PASS: 1 passed', ())


class Whole(unittest.TestCase):
    def check(self, *verdicts, found=None):
        """(lines that are wrong, what was booted) where the runs "end" with the verdicts."""
        left, booted = list(verdicts), []

        def run_tests(made, tests):
            booted.append((made.request.boot.cpus, tests))
            return runs.GuestRun(made.request, made.build, left.pop(0), (),
                                 found or run(('f.v.pair', '')), made)

        suite = types.SimpleNamespace(select=lambda selection: [('a_test', [])])
        with mock.patch.object(runs, 'run_tests', run_tests):
            return list(two_and_four_cpus.check(built(suite=suite))), booted

    def test_the_suite_runs_with_each_number_of_cpus(self):
        self.assertEqual(self.check(GOOD, GOOD),
                         ([], [(2, [('a_test', [])]), (4, [('a_test', [])])]))

    def test_a_problem_names_the_number(self):
        wrong, _ = self.check(GOOD, judging.Verdict(1, 'FAIL', ('a_test: not ok',)))
        self.assertEqual(wrong, ['4 CPUs: a_test: not ok'])

    def test_a_guest_that_does_not_boot_is_told(self):
        wrong, _ = self.check(judging.Verdict(125, 'did not boot', ()), GOOD)
        self.assertEqual(wrong, ['2 CPUs: did not boot'])

    def test_a_case_that_skips_itself_with_four_is_told(self):
        found = run(('f.v.pair', TOO_FEW), ('f.v.one', ''), ('f.v.other', 'SKIP else'))
        wrong, _ = self.check(GOOD, GOOD, found=found)
        self.assertEqual(len(wrong), 2)
        self.assertIn('skipped itself with 4 CPUs', wrong[1])
