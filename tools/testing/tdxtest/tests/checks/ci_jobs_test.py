# SPDX-License-Identifier: GPL-2.0-only
"""The check of the CI job files goes red where a checker does."""

import types
import unittest
from unittest import mock

from tdxtest.checks import ci_jobs


JOB = '''        - from: git
          path: automated/linux/kselftest/kselftest.yaml
          parameters:
            # As a lab has it.
            TST_CMDFILES: kvm
            {}: ""
          name: after
'''


class Parameters(unittest.TestCase):
    def test_a_parameter_that_the_definition_has_not(self):
        self.assertEqual(list(ci_jobs.unknown_parameters('j', JOB.format('TESTPROG'))), [])
        self.assertEqual(list(ci_jobs.unknown_parameters('j', JOB.format('TARBALL_URL'))),
                         ['ci/j: automated/linux/kselftest/kselftest.yaml takes no TARBALL_URL'])

    def test_a_definition_that_nobody_looked_at(self):
        text = JOB.format('TESTPROG').replace('kselftest.yaml', 'other.yaml')
        self.assertIn('is not in PARAMETERS', next(ci_jobs.unknown_parameters('j', text)))


class Check(unittest.TestCase):
    def test_a_checker_that_fails(self):
        table = {'fake': ('lava-', ['true'], ['sh', '-c', 'echo "line 3: no"; exit 1'])}
        wrong = list(ci_jobs.complaints(table, self.fail))
        self.assertIn('ci/lava-emulator.yaml: fake: line 3: no', wrong)
        self.assertFalse([line for line in wrong if 'github' in line])

    def test_a_checker_that_is_content(self):
        table = {'fake': ('', ['true'], ['true'])}
        self.assertEqual(list(ci_jobs.complaints(table, self.fail)), [])

    def test_a_checker_that_is_not_there(self):
        absent = []
        table = {'none': ('', ['no-such-checker'], ['false']), 'broken': ('', ['false'], ['false'])}
        self.assertEqual(list(ci_jobs.complaints(table, absent.append)), [])
        self.assertEqual(absent, ['none', 'broken'])
        said = []
        with mock.patch.object(ci_jobs, 'CHECKERS', table):
            self.assertEqual(list(ci_jobs.check(types.SimpleNamespace(say=said.append))),
                             [])
        self.assertEqual(said, ['check: CI job files: without none, which is not here',
                                'check: CI job files: without broken, which is not here'])
