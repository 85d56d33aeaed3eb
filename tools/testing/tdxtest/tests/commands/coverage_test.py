# SPDX-License-Identifier: GPL-2.0-only
"""Tests of gcda.py and the command coverage: counters on the way, and what they come to."""

import base64
import unittest
import zlib

from tdxtest.base.failure import Failure
from tdxtest.commands import coverage
from tdxtest.kvm import gcda

DATA = bytes(range(256)) * 5
TEXT = ['int f(int a)', '{', '\tif (a)', '\t\treturn 1;', '\treturn 0;', '}']


def block(path='/sys/kernel/debug/gcov/t/tdx.gcda', data=DATA, crc=None):
    crc = zlib.crc32(data) if crc is None else crc
    return ([f'# collect: begin {len(data)} {path}'] +
            [f'# collect: data {base64.b64encode(data[i:i + 720]).decode()}'
             for i in range(0, len(data), 720)] + [f'# collect: end {crc:08x}'])


def document(one=1, two=0, calls=1, branches=(1, 0)):
    def line(number, count, taken=()):
        return {'line_number': number, 'function_name': 'f', 'count': count,
                'branches': [{'count': n} for n in taken]}
    return {'files': [{'file': 'x/tdx.c', 'functions': [
        {'name': 'f', 'start_line': 1, 'end_line': 6, 'execution_count': calls}],
        'lines': [line(3, calls, branches), line(4, one), line(5, two)]}]}


class Collected(unittest.TestCase):

    def test_whole(self):
        lines = ['ok 1 boot', *block(), *block('/t/main.gcda', b'x'), 'ok 3 unload_kvm']
        self.assertEqual(gcda.collected(lines),
                         {'/sys/kernel/debug/gcov/t/tdx.gcda': DATA, '/t/main.gcda': b'x'})

    def test_damaged(self):
        lines = block()
        for wrong in (lines[:1] + lines[2:], block(crc=7),
                      [line.replace('data AA', 'data A*') for line in lines]):
            with self.assertRaisesRegex(Failure, 'came damaged'):
                gcda.collected(wrong)
        with self.assertRaisesRegex(Failure, 'ends within'):
            gcda.collected(lines[:-1])
        with self.assertRaisesRegex(Failure, 'did not begin'):
            gcda.collected(lines[1:])


class Counters(unittest.TestCase):

    def counters(self, *documents):
        counters = gcda.Counters()
        for one in documents:
            counters.add(one)
        return counters

    def test_guests_add_up(self):
        counters = self.counters(document(one=2), document(two=1, one=0, branches=(0, 1)))
        lines = counters.lines_of('tdx.c', 'f')
        self.assertEqual([lines[n].count for n in (3, 4, 5)], [2, 2, 1])
        self.assertEqual(lines[3].branches, [1, 1])

    def test_tracefile(self):
        text = self.counters(document()).tracefile()
        for wanted in ('SF:x/tdx.c', 'FN:1,f', 'FNDA:1,f', 'BRDA:3,0,1,0', 'DA:5,0',
                       'end_of_record'):
            self.assertIn(wanted + '\n', text)

    def test_gaps(self):
        totals, found = coverage.gaps(self.counters(document()), 'tdx.c', ['f'], TEXT)
        self.assertEqual(dict(totals), {'lines': 3, 'lines_run': 2, 'branches': 2,
                                        'branches_taken': 1})
        self.assertEqual([(g.kind, g.number, g.text, g.branches) for g in found],
                         [('branch', 3, 'if (a)', 1), ('line', 5, 'return 0;', 0)])
        coverage.count_explained(totals, found, found[:1])
        self.assertEqual(coverage.summary(totals), [
            'hypercall paths: lines 2 of 3 (66.7 %), branches 1 of 2 (50.0 %)',
            'of what can be reached: lines 2 of 2 (100.0 %), branches 1 of 2 (50.0 %)'])

    def test_no_gap(self):
        counters = self.counters(document(two=1, branches=(1, 1)))
        _, found = coverage.gaps(counters, 'tdx.c', ['f'], TEXT)
        self.assertEqual(found, [])

    def test_a_function_that_is_gone(self):
        with self.assertRaisesRegex(Failure, r'no code of g\(\)'):
            coverage.gaps(self.counters(document()), 'tdx.c', ['g'], TEXT)


class Explain(unittest.TestCase):

    GAPS = [coverage.Gap('line', 'f', 5, 'return 0;'), coverage.Gap('branch', 'f', 3, 'if (a)', 1)]

    def test_explained_and_not(self):
        table = [(7, ['line', 'f', 'return 0;', 'why'])]
        unexplained, stale = coverage.explain(self.GAPS, table)
        self.assertEqual(unexplained, [self.GAPS[1]])
        self.assertEqual(stale, [])

    def test_a_row_is_one_branch(self):
        two = [coverage.Gap('branch', 'f', 3, 'if (a)', 2)]
        row = ['branch', 'f', 'if (a)', 'why']
        self.assertEqual(coverage.explain(two, [(7, row)]), (two, []))
        self.assertEqual(coverage.explain(two, [(7, row), (8, row)]), ([], []))

    def test_branches_of_a_line_that_is_explained(self):
        totals = {}
        coverage.count_explained(totals, [coverage.Gap('line', 'f', 5, 'return 0;', 2)], [])
        self.assertEqual(totals, {'lines_explained': 1, 'branches_explained': 2})

    def test_a_row_that_explains_nothing(self):
        _, stale = coverage.explain(self.GAPS, [(9, ['line', 'f', 'if (a)', 'why'])])
        self.assertEqual(len(stale), 1)
        self.assertIn(':9: f(): if (a)', stale[0])

    def test_explanations(self):
        text = '# Comment\n\nf\n\tWhy.\n\t- line: return a ? 0 : 1;\n\t- branch: if (a)\n'
        self.assertEqual(coverage.explanations(text, 'x'), [
            (5, ['line', 'f', 'return a ? 0 : 1;', 'Why.']),
            (6, ['branch', 'f', 'if (a)', 'Why.'])])
        for item in ('row: if (a)', 'if (a)', 'line:'):
            with self.assertRaisesRegex(Failure, 'x:3: wanted line or branch'):
                coverage.explanations(f'f\n\tWhy.\n\t- {item}\n', 'x')

    def test_listed(self):
        self.assertEqual(coverage.listed('# Comment\n\nf\ng\n'), ['f', 'g'])

    def test_the_files(self):
        functions, table = coverage.tables()
        self.assertTrue(functions)
        self.assertEqual([row for _, row in table if row[1] not in functions], [])
