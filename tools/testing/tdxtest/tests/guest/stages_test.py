# SPDX-License-Identifier: GPL-2.0-only
"""Mirror choice, config check, test selection, patch ranges and the watchdog."""

import os
import tempfile
import textwrap
import unittest
from unittest import mock

from tdxtest.base import apt, command
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure, UsageError
from tdxtest.base.paths import PROJECT
from tdxtest.guest import boot, image, request
from tdxtest.tree import kernel, series, suite
from tdxtest.tests.fakes import GOOD, STARTED, FakeMachine
from tdxtest.verdict import ktap


class Mirror(unittest.TestCase):
    def test_the_main_archive(self):
        self.assertEqual(apt.choose_mirror([
            'https://apt.example.org/|bookworm|Example|Example|main',
            'http://deb.example.net/debian-security/|bookworm-security|Debian|Debian-Security|main',
            'http://deb.example.net/debian/|bookworm|Debian|Debian|main',
        ]), 'http://deb.example.net/debian/')

    def test_before_the_first_update(self):
        self.assertEqual(apt.choose_mirror([
            'cdrom:[Debian 13]/|trixie|||main',
            'https://apt.example.org/|nodistro|||main',
            'mirror+file:/etc/apt/mirrors/debian.list|trixie|||main',
        ]), 'mirror+file:/etc/apt/mirrors/debian.list')

    def test_another_calls_its_suite_stable_too(self):
        self.assertEqual(apt.choose_mirror([
            'https://dl.example.com/browser/deb/|stable|||main',
            'http://mirror.example.net/debian/|stable|||main',
        ]), 'http://mirror.example.net/debian/')

    def test_none(self):
        self.assertEqual(apt.choose_mirror([
            'http://archive.example.com/ubuntu/|noble|Ubuntu|Ubuntu|main',
            'http://archive.example.com/ubuntu/|noble|||main',
        ]), '')
        self.assertEqual(apt.choose_mirror(['https://apt.example.org/|stable|X|X|stable']), '')

    def test_versions_are_numbers(self):
        self.assertLess(apt.version_key('2.7+dfsg-4')[:2], (2, 8))
        self.assertGreater(apt.version_key('2.10-1')[:2], (2, 8))
        self.assertEqual(apt.version_key('1:3.0+dfsg-1')[:2], (3, 0))


class Config(unittest.TestCase):
    def test_lost_options_are_named(self):
        wanted = kernel.parse_config('CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=n\nCONFIG_D=y\n')
        got = kernel.parse_config('CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n# CONFIG_D is not set\n')
        self.assertEqual(kernel.lost_options(wanted, got),
                         ['CONFIG_B: wanted m, got y', 'CONFIG_C: wanted n, got y',
                          'CONFIG_D: wanted y, got n'])

    def test_a_module_is_enough_for_a_selftest(self):
        self.assertEqual(kernel.lost_options({'KVM': 'y'}, {'KVM': 'm'}, True), [])
        self.assertEqual(len(kernel.lost_options({'KVM': 'y'}, {}, True)), 1)

    def test_an_absent_option_is_off(self):
        self.assertEqual(kernel.lost_options({'A': 'n'}, {}), [])


class Selection(unittest.TestCase):
    SYMBOLS = textwrap.dedent('''\
        00000000004d2a10 T _dl_find_object
        0000000000481330 T _dl_mcount_wrapper
        00000000004e1000 d _map_gpa_fixture_object
        00000000004e1010 d _map_gpa_eagain_first_object
        00000000004e1030 R _map_gpa_eagain_first_variant
        00000000004e1060 d _map_gpa_run_fixture_object
        0000000000403000 t wrapper_map_gpa_exits
        0000000000403010 t wrapper_map_gpa_exits_teardown
        0000000000403020 t wrapper_map_gpa_twice
        0000000000403030 t wrapper_map_gpa_twice_teardown
        0000000000403040 t wrapper_map_gpa_run_again
        0000000000403050 t wrapper_map_gpa_run_again_teardown
        0000000000403060 t wrapper_one_vcpu
        ''')

    def test_cases_of_a_harness_program(self):
        self.assertEqual(suite.parse_symbols(self.SYMBOLS),
                         ['global.one_vcpu', 'map_gpa.eagain_first.exits',
                          'map_gpa.eagain_first.twice', 'map_gpa_run.again'])

    def test_names_in_the_makefile(self):
        text = ('TEST_GEN_PROGS_TDX = x86/a_test \\\n\tx86/b_test\n'
                'TEST_GEN_PROGS_TDX += x86/c_test\n')
        self.assertEqual(suite.names(text), ['a_test', 'b_test', 'c_test'])

    def test_objects_of_other_flags_go(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'suite')
            suite.forget_other_flags(out, '-O2')
            old = os.path.join(out, 'a.o')
            with open(old, 'wb'):
                pass
            suite.forget_other_flags(out, '-O2')
            self.assertTrue(os.path.exists(old))
            suite.forget_other_flags(out, '-O3')
            self.assertFalse(os.path.exists(old))

    def test_an_unknown_test(self):
        with mock.patch.object(suite, 'names', return_value=['a_test']):
            self.assertEqual(suite.parse_selection('a_test:x*'), [('a_test', 'x*')])
            with self.assertRaisesRegex(UsageError, 'no such test; there are: a_test'):
                suite.parse_selection('b_test')

    def test_a_pattern_chooses_by_any_part(self):
        chooser = suite.Suite.__new__(suite.Suite)
        with mock.patch.object(suite.Suite, 'cases', return_value=['f.eagain.t', 'f.einval.t']):
            self.assertEqual(chooser.select([('a_test', 'ea*')]),
                             [('a_test', ['-r', 'f.eagain.t'])])
            with self.assertRaisesRegex(UsageError, 'no case matches'):
                chooser.select([('a_test', 'nothing')])

    def test_environment_of_the_tests(self):
        self.assertEqual(request.parse_environment(['A=1', 'B=x=y', 'C=']),
                         (('A', '1'), ('B', 'x=y'), ('C', '')))
        for word in ('A', '=1', '1A=2', 'A=b c'):
            with self.subTest(word=word), self.assertRaises(UsageError):
                request.parse_environment([word])

    def test_the_plan_of_the_guest(self):
        plan = image.plan_text([('a_test', ['-r', 'x'])], [('/o/kvm.ko', []),
                               ('/o/kvm-intel.ko', ['tdx=1'])], 'mark', 60, False)
        self.assertEqual(plan, 'watermark mark\nmodule /lib/kvm.ko\n'
                               'module /lib/kvm-intel.ko tdx=1\ntimeout 60\ntest a_test -r x\n')
        self.assertIn('\ntrace 50\n', image.plan_text([], [], '', 60, False, trace=50))


class Series(unittest.TestCase):
    def test_ranges_are_half_open(self):
        span = series.Range.parse('[6.16,7.2)')
        self.assertTrue(span.holds((6, 16, 3)))
        self.assertFalse(span.holds((7, 2)))
        self.assertFalse(span.holds((7, 2, 0)))
        self.assertFalse(span.holds((6, 15, 9)))
        self.assertTrue(series.Range.parse('[7.2,)').holds((10, 0)))

    def test_patches_on_request(self):
        fix = next(p.file for p in series.load(os.path.join(PROJECT, 'patches'))
                   if p.kind == 'fix')
        self.assertEqual(series.requested([fix]), (fix,))
        number = fix.split('-')[0]
        self.assertEqual(series.requested([number]), (fix,))
        fixes = tuple(p.file for p in series.load(os.path.join(PROJECT, 'patches'))
                      if p.kind == 'fix')
        self.assertEqual(series.requested(['fixes/all']), fixes)
        self.assertEqual(series.requested([fixes[1], number, fixes[1]]), fixes[:2])
        for other in ('fixes/none.patch', 'fixes', 'fixes/000', 'all',
                      'seam/0001-x86-virt-tdx-Build-the-simulated-TDX-'
                      'module.patch'):
            with self.subTest(other=other), self.assertRaisesRegex(UsageError, fix):
                series.requested([other])

    def test_bad_rows_are_named(self):
        rows = {'a [7.2) seam - x': 'is not like', 'a [7.3,7.2) seam - x': 'is empty',
                'a [7.2,) patch - x': "kind 'patch'", 'a [7.2,) fix abc x': 'upstream',
                'a [7.2,) fix': 'got 3 column', 'a [7.2,) seam - x': 'a does not exist'}
        for row, text in rows.items():
            with self.subTest(row=row), tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, 'series'), 'w', encoding='utf-8') as f:
                    f.write('# head\n' + row + '\n')
                with self.assertRaisesRegex(Failure, f'series:2: .*{text}'):
                    series.load(folder)


class Watchdog(unittest.TestCase):
    def boot(self, program, **limits):
        with tempfile.TemporaryDirectory() as folder:
            guest = boot.Guest(FakeMachine(program), folder, boot.Limits(**limits))
            boot.run([guest], ['image'], None, 1, lambda line: None)
            self.assertTrue(os.path.exists(guest.console_path))
        return guest, ktap.judge(guest.console, guest.ended)

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


class Command(unittest.TestCase):
    def test_the_telling_line_is_given(self):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, 'log')
            script = 'echo start; echo "a.c:1: error: no b" >&2; ' \
                     'echo "make: *** [x] Error 1"; exit 2'
            with self.assertRaisesRegex(Failure, 'make failed: a.c:1: error: no b'):
                command.run(['sh', '-c', script], log, what='make')

    def test_a_full_disk(self):
        error = OSError(28, 'No space left on device', 'build/x')
        self.assertIn('no space left on device for build/x', command.explain(error))

    def test_a_missing_program(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(Failure, 'install it'):
            command.run(['no-such-program'], os.path.join(folder, 'log'))
