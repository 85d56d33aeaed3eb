# SPDX-License-Identifier: GPL-2.0-only
"""What a run found, as files that other programs read."""

import contextlib
import io
import json
import os
import tempfile
import unittest
import xml.etree.ElementTree as xml

from tdxtest.verdict import judging, ktap
from tdxtest.verdict import results
from tdxtest import program
from tdxtest.base.paths import TEST_DATA
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS, UsageError

LOGS = sorted(n[:-4] for n in os.listdir(TEST_DATA) if n.endswith('.log'))
COUNTS = ('tests', 'failures', 'errors', 'skipped')


def found(*names, abi='merged'):
    guests = []
    for name in names:
        with open(os.path.join(TEST_DATA, f'{name}.log'), encoding='utf-8') as f:
            guests.append(results.parse_log(f))
    return results.collect(guests, judging.judge_all(guests), {'abi': abi})


def counts(element):
    return tuple(int(element.get(key)) for key in COUNTS)


class Collect(unittest.TestCase):
    def test_a_test_that_two_guests_shared_is_one(self):
        run = found('pass', 'fail')
        self.assertEqual([t['name'] for t in run['tests']],
                         ['boot', 'load_kvm', 'tdx_map_gpa_test', 'unload_kvm'])
        test = run['tests'][2]
        self.assertFalse(test['ok'])
        self.assertEqual(len(test['cases']), 6)
        self.assertEqual(test['seconds'], 2.62)

    def test_the_time_of_a_case_is_that_since_the_result_before(self):
        console = ktap.Console()
        for at, line in ((0, 'Linux'), (5, 'KTAP version 1'), (5, '1..1'), (5.5, '  1..2'),
                         (6, '  ok 1 a.b'), (6.25, '  ok 2 a.c'), (7, 'ok 1 a_test')):
            console.feed(line, at)
        test = results.merged([(console, '', {})])[0]
        self.assertEqual([c['seconds'] for c in test['cases']], [1, 0.25])
        self.assertEqual(test['seconds'], 2)

    def test_a_skipped_test_says_why(self):
        test = found('all_skipped')['tests'][2]
        self.assertEqual(results.outcome(test), 'skip')
        self.assertEqual(test['note'], 'SKIP KVM has no TDs: KVM_CAP_VM_TYPES')

    def test_the_test_that_was_open_when_the_guest_ended(self):
        console, _, _ = results.parse_log([
            'KTAP version 1', '1..5', 'ok 1 boot', 'ok 2 load_kvm', '  1..1', '  ok 1 f.v.a',
            'ok 3 a_test', '  1..3', '  # b.c:7:b:wanted 1, got 2', '  not ok 2 f.v.b'])
        guests = [(console, 'silence', {'a_test': [], 'b_test': []})]
        verdict = judging.judge_all(guests)
        self.assertEqual(verdict.summary, 'FAIL: 1 passed, 1 failed, 0 skipped, 2 problem(s)')
        self.assertEqual(verdict.problems, (
            'b_test: not ok: f.v.b (b.c:7:b:wanted 1, got 2)',
            'silence, after f.v.b: 3 of 5 results'))
        test = results.merged(guests)[-1]
        self.assertEqual((test['name'], test['ok'], test['note'], test['cases'][0]['name']),
                         ('b_test', False, 'did not end: silence', 'f.v.b'))

    def test_a_test_that_hangs_without_a_failure(self):
        run = found('hang')
        self.assertEqual(run['summary'], 'FAIL: 2 passed, 0 failed, 0 skipped, 2 problem(s)')
        self.assertIn('a test without a name: not ok: did not end: the log ends', run['problems'])

    def test_a_guest_that_ended_in_order_has_no_open_test(self):
        self.assertEqual(len(found('pass')['tests']), 4)
        self.assertEqual(len(found('missing_plan')['tests']), 4)

    def test_warnings_are_marked(self):
        for name in ('kernel_warns', 'warns_at_boot', 'panic_in_test'):
            marked = [row['text'] for log in found(name)['logs'] for row in log if row['warning']]
            self.assertTrue(marked, name)
        self.assertFalse([row for log in found('pass')['logs'] for row in log if row['warning']])


class Json(unittest.TestCase):
    def test_what_is_written_is_read(self):
        runs = [found(name) for name in LOGS]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'a', 'results.json')
            results.write(path, results.to_json(runs))
            self.assertEqual(results.load(path), runs)

    def test_what_failed_the_last_time(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, results.LAST)
            self.assertEqual(results.failed_in(path), set())
            results.write(path, results.to_json([found('pass')]))
            self.assertEqual(results.failed_in(path), set())
            results.write(path, results.to_json([found('pass'), found('fail')]))
            self.assertEqual(results.failed_in(path), {'tdx_map_gpa_test'})

    def test_other_files_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'f')
            with self.assertRaisesRegex(UsageError, 'is not there'):
                results.load(path)
            for text in ('no json', '[]', json.dumps({'format': 'another'}),
                         results.to_json([])):
                results.write(path, text)
                with self.assertRaises(UsageError):
                    results.load(path)


class Saved(unittest.TestCase):
    def parse(self, name, *words):
        """(exit status, standard output, standard error) of tdxtest.py parse."""
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            status = program.main(['parse', *words, os.path.join(TEST_DATA, f'{name}.log')])
        return status, out.getvalue(), errors.getvalue()

    def test_a_file_that_cannot_be_written_loses_no_verdict(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'r.json')
            for name, wanted in (('pass', EXIT_PASS), ('fail', EXIT_FAIL)):
                status, out, errors = self.parse(name, '--junit', '/proc/x', '--json', path)
                self.assertEqual(status, wanted)
                self.assertIn('passed', out.splitlines()[-1])
                self.assertEqual(errors, 'tdxtest: /proc/x was not written: No such file or '
                                         'directory\n')
                self.assertEqual(results.load(path)[0]['status'], wanted)


class Junit(unittest.TestCase):
    def test_counts_are_those_of_the_elements(self):
        for name in LOGS:
            with self.subTest(console=name):
                root = xml.fromstring(results.to_junit([found(name)]).partition('\n')[2])
                cases = root.findall('.//testcase')
                marks = tuple(len(root.findall(f'.//{tag}'))
                              for tag in ('failure', 'error', 'skipped'))
                self.assertEqual(counts(root), (len(cases), *marks))
                sums = [sum(column) for column in zip(*map(counts, root))]
                self.assertEqual(counts(root), tuple(sums))

    def test_what_is_no_pass_is_red(self):
        for name in LOGS:
            run = found(name)
            root = xml.fromstring(results.to_junit([run]).partition('\n')[2])
            _, failures, errors, _ = counts(root)
            with self.subTest(console=name):
                self.assertEqual(bool(failures or errors), run['status'] != 0)
                self.assertEqual(bool(errors), run['status'] == 125)

    def test_a_failure_says_what_was_wanted(self):
        root = xml.fromstring(results.to_junit([found('fail')]).partition('\n')[2])
        self.assertIn('wanted TDVMCALL_STATUS_RETRY', root.find('.//failure').get('message'))

    def test_an_expected_failure_has_a_type(self):
        root = xml.fromstring(results.to_junit([found('xfail')]).partition('\n')[2])
        skipped = root.findall('.//skipped')
        self.assertEqual([(s.get('type'), s.get('message').split(':')[0]) for s in skipped],
                         [('xfail', 'XFAIL finding 13')])
        self.assertEqual(root.find('.//system-out').text, 'XPASS finding 11')

    def test_generations_are_told_apart(self):
        text = results.to_junit([found('pass', abi='legacy'), found('pass')])
        names = [suite.get('name') for suite in xml.fromstring(text.partition('\n')[2])]
        self.assertEqual(len(names), len(set(names)))
        self.assertIn('legacy.tdx_map_gpa_test', names)

    def test_characters_that_xml_lacks(self):
        run = found('fail')
        run['tests'][2]['cases'][1]['note'] = 'a\0b\x1b[31m<&"\ud800'
        run['tests'][2]['name'] = run['tests'][2]['cases'][1]['name'] = 'a\0'
        xml.fromstring(results.to_junit([run]).partition('\n')[2])


class Lava(unittest.TestCase):
    def test_a_signal_for_each_result(self):
        lines = results.to_lava([found('fail')]).splitlines()
        self.assertIn('<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=boot RESULT=pass>', lines)
        self.assertIn('<LAVA_SIGNAL_TESTCASE TEST_CASE_ID='
                      'tdx_map_gpa_test.map_gpa.eagain_2nd_chunk.exits RESULT=fail>', lines)

    def test_an_expected_failure_is_neither_pass_nor_fail_nor_skip(self):
        lines = results.to_lava([found('xfail')]).splitlines()
        of_test = [line.rpartition('RESULT=')[2] for line in lines if 'mmio' in line]
        self.assertEqual(of_test, ['pass>', 'unknown>', 'pass>'])

    def test_a_name_has_what_lava_takes(self):
        run = found('pass')
        run['tests'][0]['name'] = 'a b>c'
        self.assertIn('TEST_CASE_ID=a_b_c ', results.to_lava([run]))
