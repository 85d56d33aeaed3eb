# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what a run with repetitions says of them."""

import unittest
import xml.etree.ElementTree as xml

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.verdict import judging, kcidb, ktap, repeated, repetitions, results

WANTED = {'a_test': [], 'b_test': []}


def guest(*repetition, planned=None, ended='', wanted=None):
    """A guest that ran WANTED several times.

    repetition: for each a string of two letters, one for each test: "." passed, "F" failed,
    "x" failed as expected, "X" passed in spite of a finding, "s" skipped, "W": the kernel
    warned, "-": the guest ended before.
    """
    lines = ['KTAP version 1', f'1..{planned or 3 + 2 * len(repetition)}', 'ok 1 boot',
             'ok 2 load_kvm']
    words = {'.': 'ok 1 f.c', 'F': 'not ok 1 f.c # wanted 1, got 2', 'W': 'ok 1 f.c',
             'x': 'ok 1 f.c # XFAIL finding 3', 'X': 'ok 1 f.c # XPASS finding 3',
             's': 'ok 1 f.c # SKIP needs two CPUs'}
    for number, marks in enumerate(repetition, 1):
        lines += [f'# repetition {number}'] if number > 1 else []
        for name, mark in zip(WANTED, marks):
            if mark == '-':
                continue
            lines += ['  1..1', '  ' + words[mark].replace('f.c', f'{name[0]}.c')]
            lines += [f'# {name}: the kernel warned 1 time(s), first: WARNING: x'] * (mark == 'W')
            lines += [f'{"not ok" if mark in "FW" else "ok"} 3 {name}']
    lines += [] if ended else ['ok 9 unload_kvm', '[    1.0] reboot: Power down']
    console = ktap.Console()
    for line in lines:
        console.feed(line)
    return console, ended, WANTED if wanted is None else wanted


def told(times, *guests):
    """(verdict, notes) on guests."""
    return judging.judge_all(guests, times=times), list(repeated.notes(guests, times))


class Spans(unittest.TestCase):
    def test_runs_of_numbers(self):
        for numbers, text in (([], ''), ([3], '3'), ([1, 2], '1-2'), ([8, 3, 7, 9], '3, 7-9'),
                              ([2, 2, 4], '2, 4')):
            self.assertEqual(repetitions.spans(numbers), text)

    def test_each_test_is_numbered_by_itself(self):
        self.assertEqual(repetitions.numbers(['a', 'b', 'a', 'b', 'b']), [1, 1, 2, 2, 3])


class Verdict(unittest.TestCase):
    def test_all_passed(self):
        verdict, notes = told(3, guest('..', '..', '..'))
        self.assertEqual((verdict.status, verdict.summary),
                         (EXIT_PASS, 'PASS: 6 passed, 0 failed, 0 skipped'))
        self.assertEqual(notes, ['a_test: passed 3 of 3', 'b_test: passed 3 of 3'])

    def test_once_is_told_as_ever(self):
        verdict, notes = told(1, guest('.F'))
        self.assertEqual(verdict.problems, ('b_test: not ok: b.c (wanted 1, got 2)',))
        self.assertEqual(notes, [])

    def test_some_failed(self):
        verdict, notes = told(5, guest('.F', '..', '.F', '.F', '.W'))
        self.assertEqual(verdict.status, EXIT_FAIL)
        self.assertEqual(verdict.summary, 'FAIL: 7 passed, 3 failed, 0 skipped, 2 problem(s)')
        self.assertEqual(verdict.problems, (
            'repetition 1, 3-4 of 5: b_test: not ok: b.c (wanted 1, got 2)',
            'repetition 5 of 5: b_test: not ok: the kernel warned 1 time(s), first: WARNING: x'))
        self.assertEqual(notes, ['b_test: passed 1 of 5, failed in repetition 1, 3-5',
                                 'a_test: passed 5 of 5'])

    def test_the_same_warning_of_other_processes(self):
        found = [(n, f'a_test: not ok: WARNING: x.c:7 at f, CPU#0: a_test/{30 + n}')
                 for n in (1, 2, 4)]
        self.assertEqual(repetitions.told([(0, 'unload_kvm: not ok'), *found], 4), [
            'unload_kvm: not ok',
            'repetition 1-2, 4 of 4: a_test: not ok: WARNING: x.c:7 at f, CPU#0: a_test/31'])

    def test_a_guest_that_ends(self):
        dead = guest('..', '.-', planned=9, ended='silence')
        dead[0].feed('  1..2')
        dead[0].feed('  ok 1 b.c')
        verdict, notes = told(3, dead)
        self.assertEqual(verdict.problems, (
            'repetition 2 of 3: b_test: not ok: did not end: silence',
            'silence, after b.c: 5 of 9 results'))
        self.assertEqual(notes, ['a_test: passed 2 of 3, did not come to 3',
                                 'b_test: passed 1 of 3, failed in repetition 2, did not come '
                                 'to 3'])

    def test_two_guests_share_a_test(self):
        _, notes = told(2, guest('..', 'F.'), guest('..', '..'))
        self.assertEqual(notes, ['a_test: passed 1 of 2, failed in repetition 2',
                                 'b_test: passed 2 of 2'])
        _, notes = told(2, guest('..', '..'), guest('..', planned=7, ended='silence'))
        self.assertEqual(notes[0], 'a_test: passed 1 of 2, did not come to 2')

    def test_a_test_that_did_not_run_at_all(self):
        _, notes = told(2, guest('.-', '.-', planned=7, ended='silence'))
        self.assertEqual(notes, ['b_test: passed 0 of 2, did not come to 1-2',
                                 'a_test: passed 2 of 2'])

    def test_what_is_not_the_same_each_time(self):
        verdict, notes = told(4, guest('xs', 'X.', 'x.', 'x.'))
        self.assertEqual(verdict.status, EXIT_PASS)
        self.assertEqual(notes[-2:], [
            'a_test:a.c: not the same each time: xfail in 1, 3-4, xpass in 2',
            'b_test:b.c: not the same each time: skip in 1, pass in 2-4'])
        self.assertEqual(verdict.notes, ('finding 3 no longer reproduces: a_test:a.c',))

    def test_many_tests_have_one_line(self):
        names = {f'{n}_test': [] for n in range(5)}
        console = ktap.Console()
        for line in ('KTAP version 1', '1..10', *[f'ok {n} {name}' for n, name in
                                                  enumerate([*names, *names], 1)]):
            console.feed(line)
        self.assertEqual(list(repeated.notes([(console, '', names)], 2)),
                         ['5 test(s) passed 2 of 2'])


class Rows(unittest.TestCase):
    def found(self, times, *guests):
        return results.collect(guests, judging.judge_all(guests, times=times),
                               {'repeat': times, 'kernel': '7.3.4', 'abi': 'merged'})

    def test_each_case_has_one_row(self):
        run = self.found(3, guest('..', '.F', '.F'))
        row, = next(test for test in run['tests'] if test['name'] == 'b_test')['cases']
        self.assertEqual(row['repetitions'], {'fail': 2, 'pass': 1})
        self.assertEqual((row['ok'], row['note']),
                         (False, 'repetition 2-3 of 3: wanted 1, got 2'))
        root = xml.fromstring(results.to_junit([run]).partition('\n')[2])
        self.assertEqual([case.get('name') for case in root.iter('testcase')],
                         ['boot', 'load_kvm', 'a.c', 'b.c', 'unload_kvm'])
        self.assertEqual([path for path, _ in kcidb.rows_of(run) if path.endswith('2')], [])

    def test_the_worst_outcome_names_a_case(self):
        for marks, outcome in (('.F', 'fail'), ('.x', 'xfail'), ('.s', 'skip'), ('X.', 'xpass')):
            run = self.found(2, guest(*(mark + '.' for mark in marks)))
            test = next(test for test in run['tests'] if test['name'] == 'a_test')
            self.assertEqual(results.outcome(test['cases'][0]), outcome)
