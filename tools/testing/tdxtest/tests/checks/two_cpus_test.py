# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of two_cpus.py."""

import types
import unittest
from unittest import mock

from tdxtest.checks import two_cpus
from tdxtest.guest import runs
from tdxtest.tests import fakes
from tdxtest.verdict import ktap


def run(*cases):
    return {'tests': [{'name': 'a_test', 'cases': [
        {'name': name, 'note': note} for name, note in cases]}]}


def console(result):
    return ['KTAP version 1', '1..1', '  1..1', f'  {result}', 'ok 1 a_test',
            '[    1.0] reboot: Restarting system']


class Smp(unittest.TestCase):
    SKIPPED = run(('f.v.pair', two_cpus.TOO_FEW), ('f.v.one', ''), ('f.v.other', 'SKIP else'))

    def check(self, first, lines, cpus=1):
        """(lines that are wrong, what was booted) where the guest "prints" given lines."""
        booted = []

        def boot_guests(made, shares):
            booted.append((made.request.boot.cpus, shares))
            said = ktap.Console()
            for line in lines:
                said.feed(line)
            return [types.SimpleNamespace(console=said, ended='')]

        with mock.patch.object(runs, 'boot_guests', boot_guests):
            done = fakes.run(first, cpus=cpus)
            return '\n'.join(two_cpus.check(done)), booted

    def test_what_was_skipped_runs_on_two_cpus(self):
        self.assertEqual(self.check(self.SKIPPED, console('ok 1 f.v.pair')),
                         ('', [(2, [[('a_test', ['-r', 'f.v.pair'])]])]))

    def test_what_fails_there_is_told(self):
        self.assertIn('f.v.pair', self.check(self.SKIPPED, console('not ok 1 f.v.pair'))[0])

    def test_what_is_skipped_again_or_left_out_is_told(self):
        again = console(f'ok 1 f.v.pair # {two_cpus.TOO_FEW}')
        self.assertIn('as well', self.check(self.SKIPPED, again)[0])
        self.assertIn('was not run: f.v.pair',
                      self.check(self.SKIPPED, console('ok 1 f.v.one'))[0])

    def test_a_suite_without_such_cases_is_wrong(self):
        wrong, booted = self.check(run(('f.v.one', '')), [])
        self.assertIn('no case of the suite was skipped', wrong)
        self.assertEqual(booted, [])

    def test_two_cpus_were_enough(self):
        self.assertEqual(self.check(run(('f.v.one', '')), [], cpus=2), ('', []))
