# SPDX-License-Identifier: GPL-2.0-only
"""The watchdog ends a guest that does not end, and says why."""

import os
import tempfile
import time
import unittest
from unittest import mock

from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure
from tdxtest.guest import boot
from tdxtest.tests.fakes import GOOD, STARTED, FakeMachine
from tdxtest.verdict import judging


class Watchdog(unittest.TestCase):
    def boot(self, program, **limits):
        with tempfile.TemporaryDirectory() as folder:
            guest = boot.Guest(FakeMachine(program), folder, boot.Limits(**limits))
            boot.run([guest], ['image'], None, 1, lambda line: None)
            self.assertTrue(os.path.exists(guest.console_path))
        return guest, judging.judge(guest.console, guest.ended)

    def check(self, program, status, text, **limits):
        guest, verdict = self.boot(program, **limits)
        said = '\n'.join((guest.ended, verdict.summary) + verdict.problems)
        self.assertEqual(verdict.status, status, said)
        self.assertIn(text, said)

    def test_power_off(self):
        self.check(GOOD, EXIT_PASS, '1 passed')

    def test_restart(self):
        """What would boot again is ended at once, and in order."""
        with mock.patch.object(boot, 'PANIC_GRACE_S', 60):
            self.check(GOOD.replace('Power down', 'Restarting system') + 'time.sleep(60)',
                       EXIT_PASS, '1 passed', silence=20)

    def test_silence(self):
        self.check(STARTED + 'time.sleep(60)', EXIT_FAIL, 'no console output for 1 s, after a_test',
                   silence=1)

    def test_a_machine_that_gets_no_cpu_is_not_silent(self):
        with mock.patch.object(boot, 'waited_for_cpu', side_effect=lambda pid: time.monotonic()):
            self.check('time.sleep(3)\n' + GOOD, EXIT_PASS, '1 passed', silence=1)
            self.check(STARTED + 'time.sleep(60)', EXIT_FAIL, 'not done after 3 s', silence=1,
                       total=3)

    def test_time_without_a_cpu(self):
        with tempfile.TemporaryDirectory() as proc:
            for thread, text in (('7', '9 1500000000 3\n'), ('8', '9 2500000000 3\n')):
                os.makedirs(os.path.join(proc, '7', 'task', thread))
                with open(os.path.join(proc, '7', 'task', thread, 'schedstat'), 'w',
                          encoding='ascii') as f:
                    f.write(text)
            self.assertEqual(boot.waited_for_cpu(7, proc), 2.5)
            self.assertEqual(boot.waited_for_cpu(8, proc), 0)

    def test_silence_before_the_tests(self):
        self.check('print("Linux", file=out); time.sleep(60)', EXIT_NOT_RUN,
                   'did not boot: no console output', silence=1)

    def test_endless_output(self):
        self.check(STARTED + 'while True: print("  # on", file=out); time.sleep(.01)', EXIT_FAIL,
                   'not done after 1 s', total=1)

    def test_panic(self):
        with mock.patch.object(boot, 'PANIC_GRACE_S', 0.1):
            self.check(STARTED + 'print("Kernel panic - not syncing: x", file=out)\n'
                       'time.sleep(60)', EXIT_FAIL, 'Kernel panic - not syncing: x, after a_test')

    def test_the_machine_dies(self):
        self.check(STARTED + 'sys.exit(3)', EXIT_NOT_RUN,
                   'the machine died: fake ended with status 3')
        guest, _ = self.boot('os.kill(os.getpid(), 9)')
        with self.assertRaisesRegex(Failure, 'the machine died: fake ended with status -9'):
            guest.check_machine()

    def test_the_guest_ends_the_machine(self):
        with mock.patch.object(FakeMachine, 'guest_exits', (3,)):
            self.check(STARTED + 'sys.exit(3)', EXIT_FAIL,
                       'fake ended with status 3: it said nothing, after a_test')
            guest, _ = self.boot(STARTED + 'sys.exit(3)')
        guest.check_machine()

    def test_what_failed_before_the_machine_died_is_told(self):
        self.check(STARTED.replace('ok 1 f.t', 'not ok 1 f.t') + 'sys.exit(3)', EXIT_NOT_RUN,
                   'a_test: not ok: f.t')

    def test_no_such_machine(self):
        machine = FakeMachine('pass')
        machine.command = lambda *_: (['/nowhere/emulator'], {})
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(
                Failure, 'cannot start /nowhere/emulator'):
            guest = boot.Guest(machine, folder, boot.Limits())
            boot.run([guest], ['image'], None, 1, lambda line: None)
