# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of skip_reasons.py."""

import unittest

from tdxtest.checks import skip_reasons
from tdxtest.guest import machines
from tdxtest.tests import fakes

KNOWN = 'TDX_MAP_GPA_1TIB is not 1'


def row(name, ok, note):
    return {'name': name, 'ok': ok, 'skip': note.startswith('SKIP'), 'note': note, 'seconds': None}


def run(*cases, problems=(), note=''):
    """Results of one program, which ended with `note`."""
    return {'problems': list(problems), 'tests': [
        {**row('a_test', True, note), 'cases': [row(*case) for case in cases]}]}


def done(last, cpus=1, machine='bochs'):
    return fakes.run(last, cpus=cpus, machine=machines.named(machine))


class Reasons(unittest.TestCase):
    def test_known_ones_and_passed_cases_are_right(self):
        last = run(('f.v.a', True, f'SKIP {KNOWN}'), ('f.v.b', True, ''))
        self.assertEqual(list(skip_reasons.check(done(last))), [])

    def test_one_that_no_command_runs_is_told(self):
        last = run(('f.v.a', True, 'SKIP the moon is not full'))
        told, = skip_reasons.check(done(last))
        self.assertIn('a_test:f.v.a', told)
        self.assertIn('the moon is not full', told)

    def test_none_at_all_is_told(self):
        # What kselftest_harness.h says of an exit status of 4 without SKIP().
        self.assertEqual(len(list(skip_reasons.check(
            done(run(('f.v.a', True, 'SKIP unknown')))))), 1)

    def test_a_program_that_skips_itself_is_told(self):
        told, = skip_reasons.check(done(run(note='SKIP the moon is not full')))
        self.assertEqual(told, 'a_test: skipped itself ("the moon is not full"), '
                               'and no command runs it')

    def test_another_machine_has_reasons_of_its_own(self):
        last = run(('f.v.a', True, 'SKIP the moon is not full'))
        self.assertEqual(list(skip_reasons.check(done(last, cpus=2))), [])
        self.assertEqual(list(skip_reasons.check(done(last, machine='ssh:host'))), [])

    def test_what_the_debug_kernel_runs(self):
        last = run(('f.v.a', True, f'SKIP {KNOWN}'), ('f.v.b', True, ''),
                   ('f.v.c', True, 'SKIP the kernel cannot let its own allocations fail'))
        self.assertEqual(skip_reasons.left_to_debug(last), {'a_test:f.v.c'})

    def test_each_request_but_that_of_cpus_has_options(self):
        self.assertEqual([reason for reason, request in skip_reasons.REQUESTS.items()
                          if not request], ['needs two CPUs'])
