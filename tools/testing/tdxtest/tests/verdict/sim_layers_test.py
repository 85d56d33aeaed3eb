# SPDX-License-Identifier: GPL-2.0-only
"""A file of the simulated module that uses what is above it is found."""

import unittest

from tdxtest.verdict import sim_layers

MAKEFILE = '''\
# Comment.
ccflags-y := -I$(src)
obj-$(CONFIG_TEST) += all_tests.o
all_tests-y := tests/a.o
obj-y += run/loop.o vcpu/event.o

obj-$(CONFIG_DEBUG) += state/lock.o
'''
STEMS = ['tests/a', 'run/loop', 'vcpu/event', 'state/lock']
GOOD = {
    'tests/a.c': '#include "run/loop.h"\n',
    'run/loop.c': '#include <linux/bits.h>\n#include "run/loop.h"\n#include "vcpu/event.h"\n',
    'run/loop.h': '',
    'vcpu/event.c': '#include "event.h"\n#include "abi.h"\n',
    'vcpu/event.h': '#include "exit.h"\n',
    'vcpu/exit.h': '#include "state/lock.h"\n',
    'abi.h': '#include "../tdx.h"\n',
    'state/lock.S': '',
    'state/lock.h': '',
}
OBJECTS = {
    'tests/a': 'run U\nkunit_run U\na_cases d 0 8\n',
    'run/loop': 'run T 0 8\nlocal t 0 8\ninject U\n',
    'vcpu/event': 'inject T 0 8\nlock U\n',
    'state/lock': 'lock T 0 8\nlock_all D 0 8\n',
}


class Includes(unittest.TestCase):
    def wrong(self, **changes):
        texts = {**GOOD, **{k.replace('__', '/').replace('_dot_', '.'): v
                            for k, v in changes.items()}}
        return list(sim_layers.upward_includes(
            MAKEFILE, {k: v for k, v in texts.items() if v is not None}))

    def test_the_list(self):
        self.assertEqual(sim_layers.order(MAKEFILE), STEMS)

    def test_down(self):
        self.assertEqual(self.wrong(), [])

    def test_up(self):
        for name in ('vcpu__event_dot_c', 'vcpu__event_dot_h'):
            with self.subTest(name=name):
                found = self.wrong(**{name: '#include "run/loop.h"\n'})
                self.assertEqual(len(found), 1)
                self.assertIn('run/loop.o stands before vcpu/event.o', found[0])

    def test_up_by_a_header_without_an_object(self):
        found = self.wrong(vcpu__exit_dot_h='#include "run/loop.h"\n')
        self.assertEqual(len(found), 1)
        self.assertIn('includes vcpu/exit.h -> run/loop.h', found[0])

    def test_headers_that_include_each_other_end(self):
        self.assertEqual(self.wrong(abi_dot_h='#include "vcpu/exit.h"\n',
                                    vcpu__exit_dot_h='#include "abi.h"\n'), [])

    def test_a_file_without_a_row_and_a_row_without_a_file(self):
        self.assertIn('does not list vcpu/new.o', self.wrong(vcpu__new_dot_c='')[0])
        self.assertIn('vcpu/event.o has no source', self.wrong(vcpu__event_dot_c=None)[0])


class Symbols(unittest.TestCase):
    def wrong(self, **changes):
        objects = {**OBJECTS, **{k.replace('__', '/'): v for k, v in changes.items()}}
        return list(sim_layers.upward_calls(MAKEFILE, objects))

    def test_down(self):
        self.assertEqual(self.wrong(), [])

    def test_up(self):
        self.assertEqual(self.wrong(vcpu__event='inject T 0 8\nrun U\n'), [
            f'{sim_layers.SIM}/vcpu/event.o: uses run of run/loop.o, which stands before it in '
            'the Makefile'])

    def test_a_local_symbol_is_none_of_another(self):
        self.assertEqual(self.wrong(state__lock='lock T 0 8\nlocal U\n'), [])

    def test_an_object_that_is_missing(self):
        objects = {k: v for k, v in OBJECTS.items() if k != 'run/loop'}
        self.assertEqual(list(sim_layers.upward_calls(MAKEFILE, objects)),
                         [f'{sim_layers.SIM}/run/loop.o: was not built'])

    def test_a_header_that_declares_for_another(self):
        headers = {'vcpu/event.h': 'struct x;\nextern int lock_all[];\n'
                                   'void *inject(int a,\n\t     int b);\n'
                                   'static inline int f(void)\n{\n\treturn lock(0);\n}\n'}
        self.assertEqual(list(sim_layers.foreign_declarations(headers, OBJECTS)),
                         [f'{sim_layers.SIM}/vcpu/event.h: declares lock_all of state/lock.c'])
