# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of two_and_four_cpus.py."""

import types
import unittest

from tdxtest.checks import two_and_four_cpus
from tdxtest.checks.two_cpus import TOO_FEW
from tdxtest.tests.checks.two_cpus_test import run
from tdxtest.verdict import ktap


class WholeSession:
    """Runs nothing: each run of the suite "ends" with the next of the given verdicts."""

    def __init__(self, *verdicts):
        self.args = types.SimpleNamespace(cpus=1)
        self.suite = types.SimpleNamespace(select=lambda selection: [('a_test', [])])
        self.progress = types.SimpleNamespace(say=lambda text: None)
        self.verdicts = list(verdicts)
        self.results = []
        self.booted = []

    def boot(self, tests):
        self.booted.append((self.args.cpus, tests))
        self.results.append(run(('f.v.pair', '')))
        return self.verdicts.pop(0)


class Whole(unittest.TestCase):
    GOOD = ktap.Verdict(0, 'PASS: 1 passed', ())

    def test_the_suite_runs_with_each_number_of_cpus(self):
        session = WholeSession(self.GOOD, self.GOOD)
        self.assertEqual(list(two_and_four_cpus.check(session)), [])
        self.assertEqual(session.booted, [(2, [('a_test', [])]), (4, [('a_test', [])])])
        self.assertEqual(session.args.cpus, 1)

    def test_a_problem_names_the_number(self):
        session = WholeSession(self.GOOD, ktap.Verdict(1, 'FAIL', ('a_test: not ok',)))
        self.assertEqual(list(two_and_four_cpus.check(session)), ['4 CPUs: a_test: not ok'])

    def test_a_guest_that_does_not_boot_is_told(self):
        session = WholeSession(ktap.Verdict(125, 'did not boot', ()), self.GOOD)
        self.assertEqual(list(two_and_four_cpus.check(session)), ['2 CPUs: did not boot'])

    def test_a_case_that_skips_itself_with_four_is_told(self):
        session = WholeSession(self.GOOD, self.GOOD)
        skipped = run(('f.v.pair', TOO_FEW), ('f.v.one', ''), ('f.v.other', 'SKIP else'))
        session.boot = lambda tests: (session.results.append(skipped), self.GOOD)[1]
        found = list(two_and_four_cpus.check(session))
        self.assertEqual(len(found), 2)
        self.assertIn('skipped itself with 4 CPUs', found[1])
