# SPDX-License-Identifier: GPL-2.0-only
"""Tests of c_layers.py: what goes up, or round, is found."""

import unittest

from tdxtest.tree import c_layers

TREE = c_layers.Tree('t', (('',), ('low/', 'include/'), ('high/',)))


def function(name, *calls):
    return f'void {name}(void)\n{{\n' + ''.join(f'\t{call}();\n' for call in calls) + '}\n'


def check(texts, tree=TREE):
    uses = c_layers.Uses(texts)
    return [*c_layers.check_layers(tree, uses), *c_layers.check_circles(tree, uses)]


class Layers(unittest.TestCase):

    def test_good(self):
        self.assertEqual(check({
            't/abi.h': 'static inline ' + function('abi'),
            't/include/a.h': '#include "abi.h"\nvoid a(void);\nvoid b(void);\n',
            't/low/a.c': '#include "a.h"\n' + function('a', 'abi'),
            't/high/b.c': '#include "a.h"\n' + function('b', 'a')}), [])

    def test_upward_call(self):
        self.assertEqual(check({'t/low/a.c': function('a', 'b'), 't/high/b.c': function('b')}),
                         ['a: uses b() of b, a layer above its own'])

    def test_upward_include(self):
        self.assertEqual(check({'t/low/a.c': '#include "x/b.h"\n', 't/high/b.h': ''}),
                         ['t/low/a.c: includes x/b.h of a layer above its own'])

    def test_no_layer(self):
        self.assertEqual(check({'t/other/a.c': ''}), ['t/other/a.c: is in no layer of t'])

    def test_circle(self):
        wrong = check({'t/low/a.c': function('a', 'b'), 't/low/b.c': function('b', 'c'),
                       't/low/c.c': function('c', 'a') + function('d'),
                       't/high/e.c': function('e', 'd')})
        self.assertEqual(wrong, ['t: a circle of 3 stems: a uses b() of b; b uses c() of c; '
                                 'c uses a() of a'])

    def test_circle_through_a_header_and_a_table(self):
        self.assertEqual(len(check({
            't/low/a.h': 'static inline ' + function('a', 'b'), 't/low/a.c': '',
            't/low/b.c': '#include "rows.def"\n' + function('b'),
            't/low/rows.def': 'ROW(1, a)\n'})), 1)

    def test_what_is_static_is_its_own(self):
        self.assertEqual(check({'t/low/a.c': 'static ' + function('help') + function('a', 'help'),
                                't/low/b.c': 'static ' + function('help', 'a')}), [])


if __name__ == '__main__':
    unittest.main()
