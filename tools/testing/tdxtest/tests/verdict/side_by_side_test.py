# SPDX-License-Identifier: GPL-2.0-only
"""Tests of side_by_side.py: what is a column, and what is a row."""

import re
import unittest

from tdxtest.verdict import side_by_side


def case(name, ok=True, note='', skip=False):
    return {'name': name, 'ok': ok, 'skip': skip, 'note': note, 'seconds': 1, 'mark': ''}


def run(*cases, **about):
    test = {**case('a_test', ok=all(one['ok'] for one in cases)), 'cases': list(cases)}
    return {'kernel': '7.3.4', 'abi': 'merged', 'cpus': 1, 'tests': [test], **about}


class Columns(unittest.TestCase):

    def test_shards_are_one_column(self):
        parts = [run(case('f.one'), shard='1/2'), run(case('f.two'), shard='2/2')]
        rows = side_by_side.columns(parts)[0][1]
        self.assertEqual(len(side_by_side.columns(parts)), 1)
        self.assertEqual(sorted(rows), [('a_test', 'f.one'), ('a_test', 'f.two')])

    def test_the_worst_of_several_results(self):
        runs = [run(case('f.one')), run(case('f.one', ok=False)), run(case('f.one'))]
        rows = side_by_side.columns(runs)[0][1]
        self.assertFalse(rows['a_test', 'f.one']['ok'])

    def test_names_say_what_differs(self):
        runs = [run(), run(cpus=2), run(label='base'), run(patches=['fixes/0001-x.patch'])]
        self.assertEqual(side_by_side.names(runs),
                         ['1 CPU(s)', '2 CPU(s)', 'base, 1 CPU(s)', '1 CPU(s), 0001-x'])
        self.assertEqual(side_by_side.names([run()]), ['Linux 7.3.4, merged'])


class Page(unittest.TestCase):

    def test_a_row_for_each_case(self):
        page = side_by_side.page([
            run(case('f.one'), case('f.two')),
            run(case('f.one', ok=False, note='wanted "0", got <1>'), cpus=2)])
        rows = re.findall(r'<tr data-words="([^"]*)"( data-apart)? data-text="([^"]*)">(.*)</tr>',
                          page)
        self.assertEqual([(words, bool(apart)) for words, apart, *_ in rows],
                         [('pass fail', True), ('pass absent', True)])
        self.assertIn('wanted &quot;0&quot;, got &lt;1&gt;', rows[0][2])
        self.assertIn('<td class=fail title="wanted &quot;0&quot;, got &lt;1&gt;">fail</td>',
                      rows[0][3])
        self.assertNotIn('<1>', page)
        self.assertIn('2 of 2 cases', page)

    def test_nothing_from_elsewhere(self):
        page = side_by_side.page([run(case('f.one'))])
        self.assertFalse(re.findall(r'(?:src|href)=|https?:|url\(|import ', page))
