# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the page of figures."""

import unittest

from tdxtest.base.failure import UsageError
from tdxtest.verdict import figures_page, pages
from tdxtest.verdict.bench_table import Row, Target

RUN = {
    'date': '2026-01-31T10:00:00+00:00', 'kernel': '7.3.4', 'machine': 'bochs',
    'tests': [
        {'name': 'boot', 'cases': []},
        {'name': 'tdx_a_test', 'cases': [{'ok': True, 'skip': ''}, {'ok': False, 'skip': ''},
                                         {'ok': True, 'skip': 'needs two CPUs'}]},
    ],
}


def bench(**other):
    return {'failures': [], 'facts': figures_page.facts(RUN),
            'rows': [Row('from nothing', 'build', 's', [3.0, 1.0, 2.5]).as_dict(),
                     Row('exits', 'hypercall', '', [1200.4]).as_dict()],
            'targets': [Target('full build', 240, 's', 2.5).as_dict(),
                        Target('a boot', 1, 's', None).as_dict(),
                        Target('a run', 1, 's', 2.0).as_dict()], **other}


class Figures(unittest.TestCase):
    def cells(self, text, first):
        row = next(line for line in text.splitlines() if line.startswith(first))
        return row[len(first):].split()

    def test_facts_of_the_suite(self):
        facts = figures_page.facts(RUN)
        self.assertEqual(facts['Date'], '2026-01-31')
        self.assertEqual((facts['Tests'], facts['Cases'], facts['Cases that passed'],
                          facts['Cases that skipped themselves']), ('1', '3', '1', '1'))

    def test_rows_and_targets(self):
        text = figures_page.render(bench())
        self.assertEqual(self.cells(text, 'Kernel '), ['Linux', '7.3.4'])
        self.assertEqual(self.cells(text, 'build '), ['2.5', '1', '3', 's', '3'])
        self.assertEqual(self.cells(text, 'hypercall '), ['1200', '1200', '1200', '-', '1'])
        self.assertEqual(self.cells(text, 'full build '), ['2.50', '240', 's', 'held'])
        self.assertEqual(self.cells(text, 'a boot '), ['-', '1', 's', 'not', 'measured'])
        self.assertEqual(self.cells(text, 'a run ')[-1], 'missed')

    def test_each_table_ends(self):
        page = pages.parse('x.rst', figures_page.render(bench()))
        rules = [line for line in page.lines if pages.RULE.match(line.text) and ' ' in line.text]
        self.assertEqual(len(rules), 3 * 4)

    def test_a_bench_that_says_too_little(self):
        with self.assertRaisesRegex(UsageError, 'did not come to its end: guest: died'):
            figures_page.render(bench(failures=['guest: died']))
        with self.assertRaisesRegex(UsageError, 'did not run the suite'):
            figures_page.render(bench(facts={}))
