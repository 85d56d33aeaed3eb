# SPDX-License-Identifier: GPL-2.0-only
"""What a guest gets for tests that boot a TD, and for those that do not."""

import unittest
from unittest import mock

from tdxtest.guest import image as boot_image
from tdxtest.guest.machines import bochs
from tdxtest.guest.td import image, tests
from tdxtest.guest.td.request import TdRequest
from tdxtest.tests import fakes

SUITE = [('a_test', [])]
TD = [('td_panic', ['-r', 'stage.end'])]


class Fitting(unittest.TestCase):
    def test_the_suite_has_the_machine_as_it_is(self):
        built = fakes.built()
        self.assertIs(tests.fitting(built, [SUITE, SUITE]), built)

    def test_a_vcpu_has_a_cpu(self):
        for cpus, vcpus, wanted in ((1, 2, 2), (4, 2, 4)):
            boot = tests.fitting(fakes.built(cpus=cpus, td=TdRequest(cpus=vcpus)),
                                 [TD]).request.boot
            self.assertEqual(boot.cpus, wanted)
        boot = tests.fitting(fakes.built(td=TdRequest(cpus=2)), [SUITE]).request.boot
        self.assertEqual(boot.cpus, 1)

    def test_a_td_has_room(self):
        boot = tests.fitting(fakes.built(td=TdRequest(memory_mb=512)), [SUITE, TD]).request.boot
        self.assertEqual(boot.machine.memory_mb, tests.HOST_MB + 512)
        self.assertIn('cet', boot.machine.exclude.split(', '))
        self.assertNotIn('cet', bochs.MACHINE.exclude.split(', '))
        self.assertEqual(boot.silence, fakes.built().request.boot.silence)
        self.assertTrue(boot.machine.parameters.endswith(bochs.SLOW_CLOCK))


class Files(unittest.TestCase):
    def test_the_suite_needs_none(self):
        self.assertEqual(image.files_of(mock.Mock(), TdRequest(), 'x', (7, 3), []), {})

    def test_programs_are_those_of_the_suite(self):
        suite = mock.Mock()
        suite.program.side_effect = '/{}'.format
        self.assertEqual(tests.programs(fakes.built(suite=suite), ['a_test', 'td_panic']),
                         ['/a_test'])


class Plan(unittest.TestCase):
    def test_a_td_comes_last_and_has_time(self):
        lines = boot_image.test_lines([*TD, ('a_test', ['-r', 'f.t'])])
        self.assertEqual(lines, ['test a_test -r f.t', f'timeout {boot_image.TD_TIMEOUT_S}',
                                 'test td_panic'])
        self.assertEqual(boot_image.test_lines(SUITE), ['test a_test'])


if __name__ == '__main__':
    unittest.main()
