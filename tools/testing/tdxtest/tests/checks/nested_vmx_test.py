# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of nested_vmx.py."""

import types
import unittest
from unittest import mock

from tdxtest.checks import nested_vmx
from tdxtest.guest import runs, stages
from tdxtest.guest.machines import nested
from tdxtest.tests.fakes import built
from tdxtest.tree import suite
from tdxtest.verdict import judging


class Check(unittest.TestCase):
    def check(self, verdict):
        """(lines that are wrong, BootRequests of what was laid)."""
        laid = []
        programs = types.SimpleNamespace(select=lambda tests: [(name, []) for name, _ in tests])

        def fetch(request, build):
            laid.append(request.boot)
            return built(suite=programs)

        with mock.patch.object(stages, 'fetch', fetch), \
                mock.patch.object(stages, 'compile_all', lambda laid: laid), \
                mock.patch.object(runs, 'run_tests') as run_tests:
            run_tests.return_value.verdict = verdict
            return list(nested_vmx.check(built(cpus=4, jobs=2, suite=programs))), laid

    def test_the_kernel_is_made_for_the_machine(self):
        wrong, [boot] = self.check(judging.Verdict(0, 'PASS: 4 passed', ()))
        self.assertEqual((wrong, boot.machine, boot.cpus, boot.jobs), ([], nested.MACHINE, 1, 1))

    def test_what_is_wrong(self):
        wrong, _ = self.check(judging.Verdict(1, 'FAIL', ('tdx_smoke_test: not ok',)))
        self.assertEqual(wrong, ['tdx_smoke_test: not ok'])

    def test_the_tests_are_those_of_the_suite(self):
        self.assertLessEqual({name for name, _ in nested_vmx.TESTS}, set(suite.names()))


if __name__ == '__main__':
    unittest.main()
