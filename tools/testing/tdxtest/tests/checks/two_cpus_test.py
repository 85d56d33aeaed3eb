# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of two_cpus.py."""

import types
import unittest

from tdxtest.checks import two_cpus
from tdxtest.verdict import ktap


def run(*cases):
    return {'tests': [{'name': 'a_test', 'cases': [
        {'name': name, 'note': note} for name, note in cases]}]}


class FakeSession:
    """Boots nothing: the guest "prints" given lines."""

    def __init__(self, first, lines, cpus=1):
        self.args = types.SimpleNamespace(cpus=cpus)
        self.results = [first]
        self.lines = lines
        self.progress = types.SimpleNamespace(say=lambda text: None)
        self.booted = []

    def boot_guests(self, shares):
        self.booted.append((self.args.cpus, shares))
        console = ktap.Console()
        for line in self.lines:
            console.feed(line)
        return [types.SimpleNamespace(console=console, ended='')]


def console(result):
    return ['KTAP version 1', '1..1', '  1..1', f'  {result}', 'ok 1 a_test',
            '[    1.0] reboot: Restarting system']


class Smp(unittest.TestCase):
    SKIPPED = run(('f.v.pair', two_cpus.TOO_FEW), ('f.v.one', ''), ('f.v.other', 'SKIP else'))

    def test_what_was_skipped_runs_on_two_cpus(self):
        session = FakeSession(self.SKIPPED, console('ok 1 f.v.pair'))
        self.assertEqual(list(two_cpus.check(session)), [])
        self.assertEqual(session.booted, [(2, [[('a_test', ['-r', 'f.v.pair'])]])])
        self.assertEqual(session.args.cpus, 1)

    def test_what_fails_there_is_told(self):
        session = FakeSession(self.SKIPPED, console('not ok 1 f.v.pair'))
        self.assertIn('f.v.pair', '\n'.join(two_cpus.check(session)))

    def test_what_is_skipped_again_or_left_out_is_told(self):
        session = FakeSession(self.SKIPPED, console(f'ok 1 f.v.pair # {two_cpus.TOO_FEW}'))
        self.assertIn('as well', '\n'.join(two_cpus.check(session)))
        session = FakeSession(self.SKIPPED, console('ok 1 f.v.one'))
        self.assertIn('was not run: f.v.pair', '\n'.join(two_cpus.check(session)))

    def test_a_suite_without_such_cases_is_wrong(self):
        session = FakeSession(run(('f.v.one', '')), [])
        self.assertEqual(len(list(two_cpus.check(session))), 1)
        self.assertEqual(session.booted, [])

    def test_two_cpus_were_enough(self):
        session = FakeSession(run(('f.v.one', '')), [], cpus=2)
        self.assertEqual(list(two_cpus.check(session)), [])
