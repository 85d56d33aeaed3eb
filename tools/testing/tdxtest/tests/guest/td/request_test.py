# SPDX-License-Identifier: GPL-2.0-only
"""What td can be asked for, and what QEMU and the TD's kernel get of it."""

import argparse
import unittest

from tdxtest.base.failure import UsageError
from tdxtest.guest.td import image, request
from tdxtest.guest.td.request import TdRequest
from tdxtest.tree import td_tests
from tdxtest.tree.td_tests import ENDS


def parsed(*words):
    parser = argparse.ArgumentParser()
    request.add_options(parser)
    return parser.parse_args(words)


def asked(*words):
    return request.from_arguments(parsed(*words))


class Options(unittest.TestCase):
    def test_defaults_are_those_of_the_request(self):
        self.assertEqual(asked(), TdRequest())

    def test_ends(self):
        self.assertEqual(request.tests(parsed()), ['td_power_off'])
        self.assertEqual(request.tests(parsed('--end', 'panic', '--end', 'panic')), ['td_panic'])
        self.assertEqual(request.tests(parsed('--end', 'all')), list(td_tests.NAMES))

    def test_what_cannot_be(self):
        for words, text in (
                (['--guest-kernel', '/nowhere'], '--guest-kernel /nowhere: no such file'),
                (['--memory', '64'], '--memory 64'), (['--smp', '9'], '--smp 9'),
                (['--guest-append', 'a\nb'], 'one line'),
                (['--guest-initrd', __file__, '--end', 'panic'], '--end needs')):
            with self.subTest(words=words), self.assertRaisesRegex(UsageError, text):
                asked(*words)


class Plans(unittest.TestCase):
    def test_the_checks_come_before_one_end(self):
        for name, end in ENDS.items():
            text = image.plan_text(TdRequest(), end, 'x')
            self.assertEqual('\nchecks\n' in text, name == 'power_off')
            self.assertIn(f'\nend {end.reason}\n', text)

    def test_another_initrd_has_no_checks(self):
        wanted = TdRequest(initrd='/x')
        text = image.plan_text(wanted, ENDS['power_off'], image.parameters(wanted, 'power_off', ''))
        self.assertNotIn('\nchecks\n', text)
        self.assertNotIn('td.', text)

    def test_the_kernel_is_told(self):
        words = image.parameters(TdRequest(append='a b', cpus=2), 'reboot', 'f00').split()
        self.assertEqual(words[-2:], ['a', 'b'])
        for word in ('td.end=reboot', 'td.checks=0', 'td.cpus=2', 'td.mrtd=f00'):
            self.assertIn(word, words)

    def test_every_check_has_a_name(self):
        self.assertIn('report', td_tests.checks())
        for name in td_tests.NAMES:
            cases = td_tests.cases(name)
            self.assertEqual(len(cases), len(set(cases)))
            self.assertEqual('td.report' in cases, name == 'td_power_off')


if __name__ == '__main__':
    unittest.main()
