# SPDX-License-Identifier: GPL-2.0-only
"""The verdict on saved consoles, each named after what is wrong with it."""

import os
import unittest

from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS
from tdxtest.base.paths import TEST_DATA
from tdxtest.verdict import findings, judging, ktap


# console: exit status, a text that the summary or a problem must hold
WANTED = {
    'all_skipped':         (EXIT_FAIL, 'no test ran: all 1 were skipped: KVM has no TDs'),
    'bail_out':            (EXIT_NOT_RUN, 'init gave up: /etc/plan: No such file'),
    'crash':               (EXIT_FAIL, 'tdx_map_gpa_test: not ok: killed by signal 11'),
    'empty':               (EXIT_NOT_RUN, 'the log ends'),
    'fail':                (EXIT_FAIL, 'not ok: map_gpa.eagain_2nd_chunk.exits'),
    'hang':                (EXIT_FAIL, 'the log ends, after map_gpa.eagain_2nd_chunk.exits'),
    'kernel_warns':        (EXIT_FAIL, 'tdx_map_gpa_test: not ok: the kernel warned 1 time'),
    'missing_plan':        (EXIT_NOT_RUN, 'did not boot'),
    'no_case_ran':         (EXIT_FAIL, 'no test ran'),
    'no_tests':            (EXIT_FAIL, 'no test ran'),
    'no_watermark':        (EXIT_FAIL, 'boot: not ok'),
    'ok_with_failed_case': (EXIT_FAIL, 'reports ok with failed cases in it'),
    'panic_at_boot':       (EXIT_NOT_RUN, 'Kernel panic - not syncing: VFS'),
    'panic_in_test':       (EXIT_FAIL, 'Fatal exception in interrupt'),
    'pass':                (EXIT_PASS, '3 passed, 0 failed, 0 skipped'),
    'too_few_cases':       (EXIT_FAIL, '2 of 3 planned cases reported'),
    'warns_at_boot':       (EXIT_FAIL, 'boot: the kernel warned'),
    'xfail':               (EXIT_PASS, '1 passed, 0 failed, 0 skipped, 1 xfail, 1 xpass'),
}


def judged(name):
    console = ktap.Console()
    with open(os.path.join(TEST_DATA, f'{name}.log'), encoding='utf-8') as f:
        for line in f:
            console.feed(line)
    return console, judging.judge(console, '' if console.powered_off else 'the log ends')


class Verdicts(unittest.TestCase):
    def test_every_console_is_judged(self):
        names = {n[:-4] for n in os.listdir(TEST_DATA) if n.endswith('.log')}
        self.assertEqual(names, set(WANTED))

    def test_verdicts(self):
        for name, (status, text) in WANTED.items():
            with self.subTest(console=name):
                _, verdict = judged(name)
                said = '\n'.join((verdict.summary,) + verdict.problems)
                self.assertEqual(verdict.status, status, said)
                self.assertIn(text, said)

    def test_only_ktap_is_shown(self):
        console = ktap.Console()
        with open(os.path.join(TEST_DATA, 'pass.log'), encoding='utf-8') as f:
            shown = [line for line in f if console.feed(line)]
        self.assertEqual(shown[0], 'KTAP version 1\n')
        self.assertFalse([line for line in shown if 'Linux version' in line])

    def test_what_is_wrong(self):
        self.assertEqual(judging.Verdict(EXIT_PASS, 'PASS', ()).wrong(), ())
        self.assertEqual(judging.Verdict(EXIT_FAIL, 'FAIL', ('a: not ok',)).wrong(), ('a: not ok',))
        self.assertEqual(judging.Verdict(EXIT_NOT_RUN, 'did not boot', ()).wrong(),
                         ('did not boot',))

    def test_a_skip_without_a_reason_is_a_failure(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..1', '  1..2', '  wanted EINVAL, got EACCES',
                     '  1..0 # SKIP - Access denied - Exiting', '  ok 1 f.v.a # SKIP unknown',
                     '  ok 2 f.v.b # SKIP needs two CPUs', 'ok 1 a_test',
                     '[    1.0] reboot: Power down'):
            console.feed(line)
        verdict = judging.judge(console)
        self.assertEqual(verdict.status, EXIT_FAIL)
        self.assertIn('0 passed, 1 failed, 1 skipped', verdict.summary)
        self.assertIn('a_test: not ok: f.v.a (wanted EINVAL, got EACCES)', verdict.problems)

    def of_one_program(self, *lines):
        """The problems of a guest in which one program printed these lines and ended with 0."""
        console = ktap.Console()
        for line in ('KTAP version 1', '1..1', *lines, 'ok 1 a_test',
                     '[    1.0] reboot: Power down'):
            console.feed(line)
        return judging.judge(console).problems

    def test_a_program_without_a_plan(self):
        self.assertEqual(self.of_one_program(), ('a_test: printed no plan',))
        self.assertEqual(self.of_one_program('  ok 1 f.v.a'), ('a_test: printed no plan',))
        self.assertEqual(self.of_one_program('  1..1', '  ok 1 f.v.a'), ())

    def test_a_case_that_is_reported_twice(self):
        self.assertEqual(self.of_one_program('  1..2', '  ok 1 f.v.a', '  ok 2 f.v.a'),
                         ('a_test: 2 results of f.v.a',))

    def test_an_expected_failure_says_what_failed(self):
        console, verdict = judged('xfail')
        failed, passed = console.tests[2].cases[1:]
        self.assertEqual((failed.outcome(), failed.finding()), ('xfail', 13))
        self.assertEqual(failed.note, 'XFAIL finding 13: mmio.data, left alone: wanted 0x0, '
                                      'got 0x1122334455667788')
        self.assertEqual((passed.outcome(), passed.finding()), ('xpass', 11))
        self.assertEqual(verdict.notes, ('finding 11 no longer reproduces: '
                                         'tdx_map_gpa_test:mmio.upper_half_of_size',))

    def test_an_unexpected_pass_may_be_a_problem(self):
        console, verdict = judged('xfail')
        strict = judging.judge_all([(console, '', {})], strict=True)
        self.assertEqual((strict.status, strict.problems, strict.notes),
                         (EXIT_FAIL, verdict.notes, ()))
        console, _ = judged('pass')
        self.assertEqual(judging.judge_all([(console, '', {})], strict=True).status, EXIT_PASS)

    def test_expected_failures_alone_are_a_run(self):
        console, _ = judged('xfail')
        del console.tests[2].cases[0], console.tests[2].cases[1]
        console.tests[2].planned = 1
        verdict = judging.judge(console)
        self.assertEqual((verdict.status, verdict.summary),
                         (EXIT_PASS, 'PASS: 0 passed, 0 failed, 0 skipped, 1 xfail'))

    def test_what_fails_is_no_expected_failure(self):
        self.assertEqual(self.of_one_program('  1..1', '  not ok 1 f.v.a # XFAIL finding 1'),
                         ('a_test: not ok: f.v.a (XFAIL finding 1)',
                          'a_test: reports ok with failed cases in it'))

    def test_the_warning_of_a_finding_is_expected(self):
        text = '[    1.0] WARNING: arch/x86/kvm/vmx/x.c:1 at {}+0x1/0x2 [kvm_intel]'
        expected = findings.load()[2].warns[0].rstrip('+')
        console = ktap.Console()
        for line in ('KTAP version 1', text.format(expected), text.format('another_function')):
            console.feed(line)
        self.assertEqual([warned for _, warned in console.log], [False, True])

    def test_init_knows_which_test_expects_a_warning(self):
        text = '[    1.0] WARNING: arch/x86/kvm/vmx/x.c:1 at {}+0x1/0x2 [kvm_intel]'
        of_a_finding = text.format(findings.load()[2].warns[0].rstrip('+'))
        console = ktap.Console()
        for line in ('KTAP version 1', '# kernel: ' + of_a_finding,
                     '# kernel (expected): ' + text.format('another_function')):
            console.feed(line)
        self.assertEqual([warned for _, warned in console.log], [True, False])

    def test_a_prefixed_version_line_is_not_ktap(self):
        console = ktap.Console()
        self.assertFalse(console.feed('  KTAP version 1'))
        self.assertFalse(console.started)

    def test_the_console_of_a_td_is_not_that_of_the_guest(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..1', '  1..1',
                     '  # td: [    1.0] Kernel panic - not syncing: x',
                     '  # td: [    1.0] reboot: Restarting system',
                     '  # td: [    1.0] reboot: System halted', '  ok 1 f.t', 'ok 1 td_panic'):
            self.assertTrue(console.feed(line))
        self.assertEqual((console.panic, console.powered_off, console.halted), ('', False, False))
        console.feed('[    2.0] reboot: Restarting system')
        self.assertEqual(judging.judge(console).status, EXIT_PASS)

    def test_a_boot_without_tests_may_pass(self):
        console, _ = judged('no_tests')
        self.assertEqual(judging.judge(console, wants_tests=False).status, EXIT_PASS)

    def test_more_results_than_planned(self):
        console, _ = judged('pass')
        console.planned = 3
        self.assertEqual(judging.judge(console).status, EXIT_FAIL)


class OneVerdict(unittest.TestCase):
    def judge(self, *names, wanted=()):
        guests = []
        for number, name in enumerate(names):
            console, _ = judged(name)
            guests.append((console, '' if console.powered_off else 'the log ends',
                           wanted[number] if wanted else {}))
        return judging.judge_all(guests)

    def test_counts_are_sums(self):
        verdict = self.judge('pass', 'pass')
        self.assertEqual((verdict.status, verdict.summary),
                         (EXIT_PASS, 'PASS: 6 passed, 0 failed, 0 skipped'))

    def test_a_failed_case_in_any_guest(self):
        for names in (('pass', 'fail'), ('fail', 'pass')):
            verdict = self.judge(*names)
            self.assertEqual(verdict.status, EXIT_FAIL)
            self.assertTrue(verdict.problems[0].startswith(
                f'guest {names.index("fail") + 1}: tdx_map_gpa_test: not ok'), verdict.problems)

    def test_a_guest_that_does_not_boot(self):
        for name in ('missing_plan', 'panic_at_boot', 'empty'):
            with self.subTest(console=name):
                verdict = self.judge('pass', name)
                self.assertEqual(verdict.status, EXIT_NOT_RUN)
                self.assertIn('guest 2: did not boot: ', verdict.summary)

    def test_failures_next_to_a_guest_that_does_not_boot(self):
        verdict = self.judge('fail', 'empty')
        self.assertEqual(verdict.status, EXIT_NOT_RUN)
        self.assertIn('guest 1: tdx_map_gpa_test: not ok', '\n'.join(verdict.problems))

    def test_a_program_that_skips_itself_where_others_run(self):
        verdict = self.judge('pass', 'all_skipped')
        self.assertEqual(verdict.status, EXIT_FAIL)
        self.assertEqual(verdict.problems, ('guest 2: tdx_map_gpa_test: skipped as a whole: '
                                            'KVM has no TDs: KVM_CAP_VM_TYPES',))

    def test_all_programs_skip_themselves(self):
        verdict = self.judge('all_skipped', 'all_skipped')
        self.assertEqual(verdict.status, EXIT_FAIL)
        self.assertEqual(verdict.problems, ('no test ran: all 1 were skipped: '
                                            'KVM has no TDs: KVM_CAP_VM_TYPES',))

    def test_what_no_guest_ran(self):
        ran = {'tdx_map_gpa_test': []}
        verdict = self.judge('pass', 'pass', wanted=(ran, {**ran, 'b_test': []}))
        self.assertEqual(verdict.problems, ('guest 2: b_test: was not run',))
        verdict = self.judge('pass', wanted=({'tdx_map_gpa_test': ['map_gpa.gone.exits']},))
        self.assertEqual(verdict.problems, ('tdx_map_gpa_test: was not run: map_gpa.gone.exits',))
        self.assertEqual(verdict.status, EXIT_FAIL)
