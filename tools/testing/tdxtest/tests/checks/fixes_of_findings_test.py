# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check that applies the fixes of findings."""

import io
import unittest
from unittest import mock

from tdxtest.base.progress import Progress
from tdxtest.checks import fixes_of_findings, two_cpus
from tdxtest.tests import fakes
from tdxtest.verdict import ktap

BEFORE = {'t:passes': 'pass', 't:fixed': 'xfail', 't:other': 'xfail', 't:harmful': 'skip',
          't:two_cpus': 'skip'}
AFTER = {**BEFORE, 't:fixed': 'xpass', 't:harmful': 'xpass'}
TURNED = {'t:fixed': 3, 't:harmful': 3}


class Wrong(unittest.TestCase):

    def wrong(self, turned=None, **changes):
        after = {**AFTER, **{f't:{case}': outcome for case, outcome in changes.items()}}
        return list(fixes_of_findings.wrong(BEFORE, after, turned or TURNED, 'fixes/0003'))

    def test_the_fix_turns_its_cases(self):
        self.assertEqual(self.wrong(), [])

    def test_a_case_that_is_not_turned(self):
        self.assertEqual(self.wrong(fixed='xfail'),
                         ['fixes/0003: t:fixed: wanted xpass, got xfail'])
        self.assertEqual(len(self.wrong(harmful='skip')), 1)

    def test_another_case_that_changes(self):
        for outcome in ('fail', 'skip'):
            self.assertEqual(len(self.wrong(passes=outcome)), 1)
        self.assertEqual(self.wrong(other='xpass'),
                         ['fixes/0003: t:other: wanted xfail, got xpass'])

    def test_a_case_that_was_not_run(self):
        self.assertEqual(self.wrong({**TURNED, 't:new': 3}), ['fixes/0003: t:new: was not run'])


class RunBoth(unittest.TestCase):
    """A suite of one case for each CPU count, and one that is known to fail with two."""

    ONE = {'t:plain': 'xfail', 't:two': 'skip', 't:other_two': 'skip'}
    TWO = {'t:two': 'xpass', 't:other_two': 'pass'}

    def run_suite(self, *words):
        self.ran.append(words)
        ended = {case: self.TWO[case] for case in words if case in self.TWO} or self.ONE
        return {'problems': [f'{len(self.ran)} ran'], 'tests': [{'name': 't', 'cases': [
            {'name': case.removeprefix('t:'), 'ok': True, 'skip': outcome == 'skip',
             'note': two_cpus.TOO_FEW if outcome == 'skip' else '',
             'mark': outcome if outcome in (ktap.XFAIL, ktap.XPASS) else ''}
            for case, outcome in ended.items()]}]}

    def setUp(self):
        self.ran = []

    def test_cases_for_two_cpus_are_run_with_two(self):
        ended, problems = fixes_of_findings.run_both(self.run_suite)
        self.assertEqual(ended, {'t:plain': 'xfail', **self.TWO})
        self.assertEqual(self.ran, [(), ('--cpus', '2', 't:other_two', 't:two')])
        self.assertEqual(problems, ['1 ran', '2 ran'])

    def test_of_one_fix_only_its_own_are_run_with_two(self):
        ended, _ = fixes_of_findings.run_both(self.run_suite, ['t'], 'fixes/0003', ['t:two'])
        self.assertEqual(ended, {'t:plain': 'xfail', 't:two': 'xpass'})
        self.assertEqual(self.ran, [('--patch', 'fixes/0003', 't'),
                                    ('--patch', 'fixes/0003', '--cpus', '2', 't:two')])


class Check(unittest.TestCase):

    def test_it_says_which_fix_it_tries(self):
        made, out = fakes.built(), io.StringIO()
        made.build.progress = Progress(out)
        fixes = [mock.Mock(number=number, needs=needs)
                 for number, needs in ((3, ()), (6, ()), (9, (3,)))]
        run = {'tests': [], 'problems': []}
        with mock.patch.object(fixes_of_findings.findings, 'load', return_value=fixes), \
                mock.patch.object(fixes_of_findings, 'outcomes', return_value={}), \
                mock.patch.object(fixes_of_findings, 'marks_in_tree',
                                  return_value={'t:a': 3, 't:b': 9}), \
                mock.patch.object(fixes_of_findings, 'run_suite', return_value=run) as ran:
            list(fixes_of_findings.check(made))
        said = out.getvalue()
        self.assertIn('fixes: 1 test(s) with each: t\n', said)
        self.assertIn('fixes: fixes/0003: 1 of 2\n', said)
        self.assertIn('fixes: fixes/0009: 2 of 2\n', said)
        self.assertEqual([call.args[1:] for call in ran.call_args_list],
                         [(), ('--patch', 'fixes/all'), ('--patch', 'fixes/0003', 't'),
                          ('--patch', 'fixes/0003', '--patch', 'fixes/0009', 't')])
