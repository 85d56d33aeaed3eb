# SPDX-License-Identifier: GPL-2.0-only
"""What git bisect is told of each way that a step can end."""

import contextlib
import io
import os
import subprocess
import tempfile
import unittest
from unittest import mock

from tdxtest.commands import bisect
from tdxtest.base import build_folder
from tdxtest.verdict import ktap
from tdxtest import program
from tdxtest.base.paths import TEST_DATA
from tdxtest.commands.bisect import EXIT_BAD, EXIT_GOOD, EXIT_SKIP
from tdxtest.base.failure import Failure

TEST = 'tdx_map_gpa_test'
# console: what it says of TEST
WANTED = {
    'all_skipped':         EXIT_SKIP,
    'bail_out':            EXIT_SKIP,
    'crash':               EXIT_BAD,
    'empty':               EXIT_SKIP,
    'fail':                EXIT_BAD,
    'hang':                EXIT_BAD,
    'kernel_warns':        EXIT_BAD,
    'missing_plan':        EXIT_SKIP,
    'no_case_ran':         EXIT_SKIP,
    'no_tests':            EXIT_SKIP,
    'no_watermark':        EXIT_GOOD,
    'ok_with_failed_case': EXIT_BAD,
    'panic_at_boot':       EXIT_SKIP,
    'panic_in_test':       EXIT_BAD,
    'pass':                EXIT_GOOD,
    'too_few_cases':       EXIT_BAD,
    'warns_at_boot':       EXIT_GOOD,
    'xfail':               EXIT_GOOD,
}


def judged(name, **options):
    console = ktap.Console()
    with open(os.path.join(TEST_DATA, f'{name}.log'), encoding='utf-8') as f:
        for line in f:
            console.feed(line)
    return bisect.judge(console, '' if console.powered_off else 'the log ends', [TEST],
                           **options)


class Judge(unittest.TestCase):
    def test_every_console(self):
        self.assertEqual({n[:-4] for n in os.listdir(TEST_DATA) if n.endswith('.log')}, set(WANTED))
        for name, status in WANTED.items():
            with self.subTest(console=name):
                self.assertEqual(judged(name)[0], status, judged(name)[1])

    def test_a_skip_may_be_bad(self):
        self.assertEqual(judged('all_skipped', skip_is_bad=True)[0], EXIT_BAD)
        self.assertEqual(judged('pass', skip_is_bad=True)[0], EXIT_GOOD)

    def test_kvm_does_not_load(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..4', 'ok 1 boot', 'not ok 2 load_kvm',
                     f'ok 3 {TEST} # SKIP', 'not ok 4 unload_kvm', ktap.POWER_OFF):
            console.feed(line)
        self.assertEqual(bisect.judge(console, '', [TEST]), (EXIT_SKIP, 'KVM did not load'))

    def test_the_guest_dies_while_kvm_loads(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..4', 'ok 1 boot'):
            console.feed(line)
        self.assertEqual(bisect.judge(console, 'silence', [TEST]),
                         (EXIT_SKIP, 'silence, after boot'))

    def test_the_machine_dies(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..4', 'ok 1 boot', 'ok 2 load_kvm', '  1..2',
                     '  ok 1 f.a'):
            console.feed(line)
        self.assertEqual(bisect.judge(console, 'silence', [TEST])[0], EXIT_BAD)
        console.machine_died = True
        self.assertEqual(bisect.judge(console, 'bochs died', [TEST]),
                         (EXIT_SKIP, 'bochs died'))

    def test_a_test_that_is_named_twice(self):
        for first, status in (('ok', EXIT_GOOD), ('not ok', EXIT_BAD)):
            console = ktap.Console()
            for line in ('KTAP version 1', '1..5', 'ok 1 boot', 'ok 2 load_kvm', '  1..1',
                         f'  {first} 1 f.a', f'{first} 3 {TEST}', '  1..1', '  ok 1 f.b',
                         f'ok 4 {TEST}', 'ok 5 unload_kvm', ktap.POWER_OFF):
                console.feed(line)
            self.assertEqual(bisect.judge(console, '', [TEST, TEST])[0], status)

    def test_an_expected_failure(self):
        self.assertEqual(judged('xfail', xfail_is_bad=True),
                         (EXIT_BAD, 'XFAIL finding 13: mmio.data, left alone: wanted 0x0, '
                                    'got 0x1122334455667788'))
        for directive, bad, good in (('XFAIL', EXIT_SKIP, EXIT_BAD),
                                     ('XPASS', EXIT_GOOD, EXIT_GOOD)):
            console = ktap.Console()
            for line in ('KTAP version 1', '1..4', 'ok 1 boot', 'ok 2 load_kvm', '  1..1',
                         f'  ok 1 f.a # {directive} finding 1', f'ok 3 {TEST}',
                         'ok 4 unload_kvm', ktap.POWER_OFF):
                console.feed(line)
            self.assertEqual(bisect.judge(console, '', [TEST])[0], bad)
            self.assertEqual(bisect.judge(console, '', [TEST], xfail_is_bad=True)[0], good)

    def test_what_is_expected(self):
        for status, outcome, wanted in ((EXIT_GOOD, 'pass', EXIT_GOOD),
                                        (EXIT_BAD, 'pass', EXIT_BAD),
                                        (EXIT_SKIP, 'pass', EXIT_SKIP),
                                        (EXIT_GOOD, 'fail', EXIT_BAD),
                                        (EXIT_BAD, 'fail', EXIT_GOOD),
                                        (EXIT_SKIP, 'fail', EXIT_SKIP)):
            self.assertEqual(bisect.expected(status, outcome), wanted)


class Lock(unittest.TestCase):
    def test_the_build_folder_is_lent_to_a_child(self):
        with tempfile.TemporaryDirectory() as folder:
            own = build_folder.Build(folder, None)
            with self.assertRaisesRegex(Failure, 'another run uses'):
                build_folder.Build(folder, None)
            with own.unlocked():
                child = build_folder.Build(folder, None)
                with self.assertRaisesRegex(Failure, 'another run uses'):
                    build_folder.Build(folder, None)
                child.close()
            with self.assertRaisesRegex(Failure, 'another run uses'):
                build_folder.Build(folder, None)
            own.close()


class Command(unittest.TestCase):
    """The command in a checkout, up to the step itself."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(contextlib.chdir(self.folder))
        for stream in ('redirect_stdout', 'redirect_stderr'):
            self.enterContext(getattr(contextlib, stream)(io.StringIO()))

    def commit(self):
        identity = ['-c', 'user.name=n', '-c', 'user.email=e@example.com']
        for words in (['init', '-q'], [*identity, 'commit', '-q', '--allow-empty', '-m', 'one']):
            subprocess.run(['git', *words], check=True)
        return bisect.git('rev-parse', 'HEAD')

    def bisect(self, *words):
        return program.main(['bisect', '--build', os.path.join(self.folder, 'build'), *words])

    def test_bad_usage(self):
        for words in ((), ('--expect', 'maybe', TEST), ('--no-such-option', TEST),
                      ('no_such_test',)):
            with self.subTest(words=words):
                self.assertEqual(self.bisect(*words), EXIT_SKIP)

    def test_no_checkout(self):
        self.assertEqual(self.bisect(TEST), EXIT_SKIP)

    def test_no_kernel(self):
        commit = self.commit()
        self.assertEqual(self.bisect(TEST), EXIT_SKIP)
        with open(f'build/bisect/{commit}.log', encoding='utf-8') as f:
            self.assertIn('not the top of a Linux source tree', f.read())

    def test_whatever_goes_wrong_is_a_skip(self):
        commit = self.commit()
        with open('output', 'w', encoding='utf-8') as f:
            f.write('tdx.c:7: error: stray\n')
        for wrong, said in ((Failure('make failed', 'output'), 'tdx.c:7: error: stray'),
                            (ZeroDivisionError('x'), 'ZeroDivisionError: x'),
                            (KeyboardInterrupt(), 'interrupted')):
            with self.subTest(wrong=wrong), mock.patch.object(bisect, 'step',
                                                              side_effect=wrong):
                self.assertEqual(self.bisect(TEST), EXIT_SKIP)
                with open(f'build/bisect/{commit}.log', encoding='utf-8') as f:
                    self.assertIn(said, f.read())

    def test_a_verdict_gets_through(self):
        self.commit()
        for status in (EXIT_GOOD, EXIT_BAD):
            with mock.patch.object(bisect, 'step', return_value=(status, 'why')):
                self.assertEqual(self.bisect(TEST), status)

    def test_one_bisection_is_told_from_the_next(self):
        self.commit()
        self.assertEqual(bisect.session_key(), '')
        subprocess.run(['git', 'bisect', 'start'], check=True, stdout=subprocess.DEVNULL)
        first = bisect.session_key()
        self.assertTrue(first)
        self.assertEqual(bisect.session_key(), first)
        os.utime('.git/BISECT_START', ns=(1, 1))
        self.assertNotEqual(bisect.session_key(), first)
