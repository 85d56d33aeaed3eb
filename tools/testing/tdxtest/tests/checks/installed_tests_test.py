# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of installed_tests.py."""

import unittest

from tdxtest.checks import installed_tests


class Lines(unittest.TestCase):
    def test_lines_that_are_no_ktap(self):
        good = ['KTAP version 1', '1..2', '  TAP version 13', '  # RUN x', '  ok 1 a # SKIP b', '',
                'not ok 2 c', '[ 2.0] reboot: Restarting system']
        self.assertEqual(installed_tests.not_ktap(good), [])
        self.assertEqual(installed_tests.not_ktap(good + ['  Random seed: 1', ' Random seed: 1']),
                         ["no KTAP: 'Random seed: 1'"])

    def test_text_of_an_assertion(self):
        text = ['  #  RUN           a.b ...', '  ', '  ==== Test Assertion Failure ====',
                '    x86/tdx_a_test.c:9: r == 1', '    pid=2 tid=2 errno=0 - Success',
                '    (stack trace empty)', '    a: wanted 1, got 0', '  #            OK  a.b',
                '  ok 1 a.b # XFAIL finding 3']
        self.assertEqual(installed_tests.not_ktap(text), [])
        self.assertEqual(installed_tests.not_ktap([*text, 'a: wanted 1, got 0']),
                         ["no KTAP: 'a: wanted 1, got 0'"])
