# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of skips.py."""

import types
import unittest

from tdxtest.checks import skips

WARNS = 'KVM would warn and TDX_KVM_WARN is not 1'


def row(name, ok, note):
    return {'name': name, 'ok': ok, 'skip': note.startswith('SKIP'), 'note': note, 'seconds': None}


def run(*cases, problems=(), note=''):
    """Results of one program, which ended with `note`."""
    return {'problems': list(problems), 'tests': [
        {**row('a_test', True, note), 'cases': [row(*case) for case in cases]}]}


def session(last, cpus=1, machine='bochs'):
    return types.SimpleNamespace(args=types.SimpleNamespace(cpus=cpus, machine=machine),
                                 results=[last])


class Reasons(unittest.TestCase):
    def test_known_ones_and_passed_cases_are_right(self):
        last = run(('f.v.a', True, f'SKIP {WARNS}'), ('f.v.b', True, ''))
        self.assertEqual(list(skips.check_reasons(session(last))), [])

    def test_one_that_no_command_runs_is_told(self):
        last = run(('f.v.a', True, 'SKIP the moon is not full'))
        told, = skips.check_reasons(session(last))
        self.assertIn('a_test:f.v.a', told)
        self.assertIn('the moon is not full', told)

    def test_none_at_all_is_told(self):
        # What kselftest_harness.h says of an exit status of 4 without SKIP().
        self.assertEqual(len(list(skips.check_reasons(
            session(run(('f.v.a', True, 'SKIP unknown')))))), 1)

    def test_a_program_that_skips_itself_is_told(self):
        told, = skips.check_reasons(session(run(note='SKIP the moon is not full')))
        self.assertEqual(told, 'a_test: skipped itself ("the moon is not full"), '
                               'and no command runs it')

    def test_another_machine_has_reasons_of_its_own(self):
        last = run(('f.v.a', True, 'SKIP the moon is not full'))
        self.assertEqual(list(skips.check_reasons(session(last, cpus=2))), [])
        self.assertEqual(list(skips.check_reasons(session(last, machine='ssh:host'))), [])


class OnRequest(unittest.TestCase):
    CASES = ['a_test:f.v.a']

    def test_a_case_that_passes_is_right(self):
        self.assertEqual(list(skips.wrong(self.CASES, run(('f.v.a', True, '')), False)), [])

    def test_one_that_fails_skips_or_does_not_come_is_told(self):
        for cases in ((('f.v.a', False, 'wanted 1, got 2'),),
                      (('f.v.a', True, f'SKIP {WARNS}'),),
                      (('f.v.b', True, ''),)):
            told, = skips.wrong(self.CASES, run(*cases), True)
            self.assertIn('a_test:f.v.a', told)

    def test_problems_count_unless_the_kernel_is_to_warn(self):
        warned = run(('f.v.a', True, ''), problems=['a_test: not ok'])
        self.assertEqual(list(skips.wrong(self.CASES, warned, True)), [])
        self.assertEqual(list(skips.wrong(self.CASES, warned, False)), ['a_test: not ok'])

    def test_a_reason_without_a_case_is_told(self):
        found = {reason: ['a_test:f.v.a'] for reason in skips.REQUESTS}
        self.assertEqual(list(skips.unskipped(found)), [])
        del found[WARNS]
        told, = skips.unskipped(found)
        self.assertIn(WARNS, told)

    def test_a_reason_of_older_kernels_need_not_come(self):
        found = {reason: ['a_test:f.v.a'] for reason, request in skips.REQUESTS.items()
                 if not (request and request.older)}
        self.assertLess(len(found), len(skips.REQUESTS))
        self.assertEqual(list(skips.unskipped(found)), [])

    def test_each_request_but_that_of_cpus_has_options(self):
        self.assertEqual([reason for reason, request in skips.REQUESTS.items()
                          if not request], ['needs two CPUs'])
