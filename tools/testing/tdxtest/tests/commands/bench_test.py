# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the bench's figures, table and targets."""

import contextlib
import io
import json
import os
import tempfile
import types
import unittest
from unittest import mock

from tdxtest.base.failure import EXIT_PASS, Failure, UsageError
from tdxtest.commands import bench
from tdxtest.guest import peers
from tdxtest.verdict import bench_table, figures_page
from tdxtest.verdict.bench_table import GUEST, MEMORY, RANGES, Row, Target

GUEST_LOG = """\
  # bench calibrate host 1000 4000
  # bench calibrate host 1000 4000
  # bench hypercall_exit vm 10 2000
  # bench hypercall_exit vm 10 2200
  # bench hypercall_exit td 10 2800
  # bench hypercall_exit td 10 3000
  # range 2097152 1 3000 0
  # range 1073741824 512 1024000 0
  # range 4398046511104 2097152 4194304000 4
  ok 1 hypercall_exit
""".splitlines()


class GuestFigures(unittest.TestCase):
    def test_ticks_become_instructions(self):
        rows = bench_table.parse_guest(GUEST_LOG)
        # Four ticks for the two instructions of a turn: half an instruction a tick.
        self.assertEqual(rows[0], Row(GUEST, 'hypercall to userspace, plain VM', '',
                                      [100.0, 110.0]))
        self.assertEqual(rows[1], Row(GUEST, 'hypercall to userspace, TD', '', [140.0, 150.0]))

    def test_ranges_are_told_for_each_exit(self):
        rows = [row for row in bench_table.parse_guest(GUEST_LOG) if row.group == RANGES]
        self.assertEqual([(row.name, row.samples) for row in rows],
                         [('2 MiB, 1 exits', [1500.0]), ('1 GiB, 512 exits', [1000.0]),
                          ('4 TiB, 2097152 exits', [1000.0])])

    def test_without_calibration_there_are_no_figures(self):
        self.assertEqual(bench_table.parse_guest(GUEST_LOG[2:]), [])


class Part(unittest.TestCase):
    def test_a_guest_that_measured_nothing(self):
        with tempfile.NamedTemporaryFile('w', suffix='.log') as log:
            part = types.SimpleNamespace(command=lambda *words: None, log=log.name, rows=[])
            with self.assertRaisesRegex(Failure, 'tdx_exit_bench printed no figures'):
                bench.Bench.measure_guest(part)
            log.write('\n'.join(GUEST_LOG))
            log.flush()
            bench.Bench.measure_guest(part)
        self.assertTrue(part.rows)

    def test_cases_that_told_no_costs(self):
        asked = []
        with tempfile.NamedTemporaryFile('w', suffix='.log') as log:
            part = types.SimpleNamespace(command=lambda *words: asked.append(words),
                                         log=log.name, rows=[])
            with self.assertRaisesRegex(Failure, 'the tests printed no costs'):
                bench.Bench.measure_case(part)
            log.write('# case 100 0\n# part close 1 0 100 0\n# cost 100 400 100 0\n')
            log.flush()
            bench.Bench.measure_case(part)
        self.assertTrue(part.rows)
        self.assertIn('--cost', asked[0])


class Targets(unittest.TestCase):
    def find(self, rows, words):
        return next(t for t in bench_table.targets(rows) if words in t.name)

    def test_ratio_over_the_plain_vm(self):
        rows = bench_table.parse_guest(GUEST_LOG)
        target = self.find(rows, 'hypercall to userspace')
        self.assertAlmostEqual(target.value, 145 / 105)
        self.assertTrue(target.held)

    def test_a_missed_target_is_said(self):
        rows = [Row('from nothing', 'build', 's', [300, 310, 290])]
        target = self.find(rows, 'full build')
        self.assertFalse(target.held)
        self.assertIn('MISSED', target.line())

    def test_what_was_not_measured_is_said(self):
        target = self.find([], 'full build')
        self.assertTrue(target.held)
        self.assertIn('not measured', target.line())

    def test_growth_with_the_range(self):
        rows = bench_table.parse_guest(GUEST_LOG)
        self.assertAlmostEqual(self.find(rows, 'longest range').value, 1.0)
        rows = [Row(RANGES, str(n), '', [n]) for n in (1, 2, 4)]
        self.assertFalse(self.find(rows, 'longest range').held)

    def test_most_memory_counts(self):
        rows = [Row(MEMORY, '2 MiB', 'KiB', [0]), Row(MEMORY, '4 TiB', 'KiB', [999])]
        self.assertEqual(self.find(rows, 'memory').value, 999)


class Table(unittest.TestCase):
    def test_median_and_spread(self):
        text = Row('boot', 'boot', 's', [4.0, 9.5, 5.0]).line()
        self.assertEqual(text.split(), ['boot', '5', 's', '4', 'to', '9.5', 'n=3'])

    def test_groups_come_once(self):
        rows = [Row('a', 'x', 's', [1]), Row('b', 'x', 's', [3]), Row('a', 'y', 's', [2])]
        heads = [line for line in bench_table.lines(rows, []) if not line.startswith(' ')]
        self.assertEqual([head.split(':')[0] for head in heads],
                         ['a', 'b', 'ratios, TD over plain VM', 'targets'])

    def test_json_keeps_the_samples(self):
        self.assertEqual(Row('a', 'x', 's', [1, 3]).as_dict(),
                         {'group': 'a', 'name': 'x', 'unit': 's', 'samples': [1, 3],
                          'median': 2.0})
        self.assertTrue(Target('t', 1, 's', 1.0).as_dict()['held'])


class Peers(unittest.TestCase):
    def test_times_of_kunit(self):
        match = peers.KUNIT_TIMES.search(
            '[12:00:00] Elapsed time: 93.215s total, 1.001s configuring, '
            '88.104s building, 4.110s running')
        self.assertEqual(match.groups(), ('1.001', '88.104', '4.110'))


class FiguresOption(unittest.TestCase):
    def run_in(self, folder, held):
        path = os.path.join(folder, 'bench.json')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(held, f)
        page = os.path.join(folder, 'page.rst')
        with mock.patch.object(figures_page, 'PAGE', page), \
                contextlib.redirect_stdout(io.StringIO()):
            status = bench.run(types.SimpleNamespace(figures=True, build=folder, json=''))
        with open(page, encoding='utf-8') as f:
            return status, f.read()

    def test_page_of_the_last_bench(self):
        held = {'format': figures_page.FORMAT, 'facts': {'Kernel': 'Linux 7.3.4'}, 'rows': [],
                'targets': [], 'failures': []}
        with tempfile.TemporaryDirectory() as folder:
            status, text = self.run_in(folder, held)
            self.assertEqual(status, EXIT_PASS)
            self.assertIn('Kernel  Linux 7.3.4\n', text)
            with self.assertRaisesRegex(UsageError, 'tdxtest.py bench makes'):
                self.run_in(folder, {'format': 'other'})
