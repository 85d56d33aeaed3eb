# SPDX-License-Identifier: GPL-2.0-only
"""Tests split over guests: who runs what, and the output in turn."""

import collections
import os
import tempfile
import unittest

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS, UsageError
from tdxtest.guest import boot, shards
from tdxtest.tests.fakes import GOOD, STARTED, FakeMachine
from tdxtest.verdict import judging

CASES = {
    'a_test': [f'f.{size}.{test}' for size in ('1', '2', '3', '4') for test in ('big', 'small')],
    'b_test': ['g.one', 'global.two', 'g.three'],
    'whole_test': [],
}
ALL = [(name, []) for name in CASES]


def dealt(tests, count):
    return shards.split(tests, CASES.get, count)


class Split(unittest.TestCase):
    def test_one_guest_gets_what_was_chosen(self):
        self.assertEqual(dealt(ALL, 1), [ALL])
        self.assertEqual(dealt([], 4), [[]])
        one = [('a_test', ['-r', 'f.1.big'])]
        self.assertEqual(dealt(one, 4), [one])

    def test_each_name_once(self):
        one, two = ('a_test', ['-r', 'f.1.big']), ('a_test', ['-r', 'f.2.big'])
        other = ('b_test', [])
        self.assertEqual(shards.joined([one, other, two]),
                         [('a_test', ['-r', 'f.1.big', '-r', 'f.2.big']), other])
        for tests in ([one, ('a_test', [])], [('a_test', []), one], [('a_test', [])] * 2):
            self.assertEqual(shards.joined(tests), [('a_test', [])])

    def test_every_case_runs_once(self):
        wanted = sorted(c for cases in CASES.values() for c in cases)
        for count in range(2, 20):
            with self.subTest(guests=count):
                shares = dealt(ALL, count)
                self.assertEqual(len(shares), min(count, 12))
                self.assertTrue(all(shares))
                got = [c for share in shares for _, args in share for c in shards.chosen(args)]
                self.assertEqual(sorted(got), wanted)
                names = [name for share in shares for name, _ in share]
                self.assertEqual(names.count('whole_test'), 1)

    def test_shares_differ_by_one_case(self):
        sizes = [sum(len(args) // 2 or 1 for _, args in share) for share in dealt(ALL, 5)]
        self.assertLessEqual(max(sizes) - min(sizes), 1)

    def test_parts_of_a_run_add_up(self):
        wanted = sorted((name, case) for name, cases in CASES.items() for case in cases or [''])
        for count in (2, 3, 4):
            found = []
            for number in range(1, count + 1):
                for name, args in shards.part(ALL, CASES.get, (number, count)):
                    found += [(name, case) for case in shards.chosen(args)] or [(name, '')]
            self.assertEqual(sorted(found), wanted, count)
        self.assertEqual(shards.part(ALL, CASES.get, shards.WHOLE), ALL)
        with self.assertRaisesRegex(UsageError, r'--shard 99/99: the tests have \d+ case'):
            shards.part(ALL, CASES.get, (99, 99))

    def test_the_name_of_a_part(self):
        self.assertEqual((shards.parse_shard('2/4'), shards.parse_shard('')), ((2, 4), (1, 1)))
        for text in ('0/4', '5/4', '1', '1/0', 'a/b', '1/4/2'):
            with self.assertRaisesRegex(UsageError, f'--shard {text}: wanted'):
                shards.parse_shard(text)

    def test_a_td_is_booted_once(self):
        wanted = [('td_power_off', ['-r', 'stage.end', '-r', 'td.report'])]
        self.assertEqual(dealt(wanted, 4), [wanted])

    def test_slow_cases_are_shared(self):
        for share in dealt([('a_test', [])], 2):
            tests = collections.Counter(c.split('.')[-1] for c in shards.chosen(share[0][1]))
            self.assertEqual(tests, {'big': 2, 'small': 2})

    def test_only_chosen_cases_are_dealt(self):
        tests = [('a_test', ['-r', 'f.1.big', '-r', 'f.2.big'])]
        self.assertEqual(dealt(tests, 2), [[('a_test', ['-r', 'f.1.big'])],
                                           [('a_test', ['-r', 'f.2.big'])]])

    def test_what_failed_comes_first(self):
        self.assertEqual(shards.failed_first(ALL, {'b_test', 'gone_test'}),
                         [('b_test', []), ('a_test', []), ('whole_test', [])])
        self.assertEqual(shards.failed_first(ALL, set()), ALL)
        first, second = (share[0][0] for share in
                         dealt(shards.failed_first(ALL, {'whole_test', 'b_test'}), 2))
        self.assertEqual((first, second), ('b_test', 'b_test'))

    def test_number_of_guests(self):
        self.assertEqual(shards.jobs(None), os.cpu_count())
        self.assertEqual(shards.jobs(3), 3)
        with self.assertRaisesRegex(UsageError, 'JOBS=0: wanted'):
            shards.jobs(0)


class SideBySide(unittest.TestCase):
    def boot(self, *programs, **limits):
        shown = []
        with tempfile.TemporaryDirectory() as top:
            guests = []
            for number, program in enumerate(programs):
                folder = os.path.join(top, str(number))
                os.mkdir(folder)
                guests.append(boot.Guest(FakeMachine(program), folder, boot.Limits(**limits)))
            boot.run(guests, ['image'] * len(guests), None, 1, shown.append)
        return shown, judging.judge_all([(g.console, g.ended, {'a_test': []}) for g in guests])

    def test_documents_stay_whole(self):
        document = ['KTAP version 1', '1..1', '  1..1', '  ok 1 f.t', 'ok 1 a_test',
                    '[    1.0] reboot: Power down']
        shown, verdict = self.boot('time.sleep(1)\n' + GOOD, GOOD)
        self.assertEqual(shown, ['# guest 1 of 2', *document, '# guest 2 of 2', *document])
        self.assertEqual(verdict.status, EXIT_PASS)

    def test_a_guest_that_hangs_is_named(self):
        _, verdict = self.boot(GOOD, STARTED + 'time.sleep(60)', silence=1)
        self.assertEqual(verdict.status, EXIT_FAIL)
        self.assertEqual(verdict.problems, ('guest 2: no console output for 1 s, after a_test: '
                                            '1 of 2 results',))
