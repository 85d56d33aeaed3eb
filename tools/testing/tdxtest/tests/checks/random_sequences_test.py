# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of random_sequences.py."""

import types
import unittest
from unittest import mock

from tdxtest.checks import random_sequences
from tdxtest.guest import runs, stages
from tdxtest.tests.fakes import built
from tdxtest.verdict import judging


class Check(unittest.TestCase):
    def check(self, verdict):
        """(lines that are wrong, [(CPUs, environment)] of the boots, kinds of kernel)."""
        booted, kernels = [], []
        suite = types.SimpleNamespace(
            select=lambda selection: [(name, []) for name, _ in selection])

        def fetch(request, build):
            kernels.append(request.build.debug)
            return built(suite=suite)

        def run_tests(made, tests):
            self.assertEqual(tests, [(random_sequences.TEST, [])])
            booted.append((made.request.boot.cpus, dict(made.request.boot.environment)))
            return types.SimpleNamespace(verdict=verdict)

        with mock.patch.object(runs, 'run_tests', run_tests), \
                mock.patch.object(stages, 'fetch', fetch), \
                mock.patch.object(stages, 'compile_all', lambda laid: laid):
            return list(random_sequences.check(built(suite=suite))), booted, kernels

    def test_each_seed_runs_on_the_debug_kernel_and_is_another(self):
        wrong, booted, kernels = self.check(judging.Verdict(0, 'PASS: 4 passed', ()))
        self.assertEqual((wrong, kernels), ([], [True]))
        seeds = [environment['TDX_RANDOM_SEED'] for _, environment in booted]
        self.assertEqual(len(set(seeds)), len(booted))
        self.assertEqual({cpus for cpus, _ in booted}, {1, 2})

    def test_there_are_100000_sequences(self):
        _, booted, _ = self.check(judging.Verdict(0, 'PASS: 4 passed', ()))
        each = {int(environment['TDX_RANDOM_SEQUENCES']) for _, environment in booted}
        self.assertEqual(len(booted) * each.pop() * random_sequences.CASES, 100_000)

    def test_a_problem_names_the_seed(self):
        wrong, _, _ = self.check(judging.Verdict(1, 'FAIL', ('tdx_ioctl_random_test: not ok',)))
        self.assertEqual(wrong[0], '1 CPU(s), seed 1000: tdx_ioctl_random_test: not ok')
