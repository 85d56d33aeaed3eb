# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of diagnostics.py: seeded mistakes, and whose file a message is about."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.paths import GUEST_SOURCES, PROJECT
from tdxtest.kvm import diagnostics
from tdxtest.tree import work_tree

# What GCC 12 takes by default, all of them.
SEEDS = (
    ('static void take(unsigned long *p) { (void)p; }\n'
     'int main(void) { unsigned long long v = 0; take(&v); return 0; }\n',
     2, 'error', 'incompatible'),
    ('int main(void) { return undeclared(); }\n', 1, 'error', 'undeclared'),
    ('int main(void)\n{\n\tint *p = 5;\n\n\treturn !p;\n}\n', 3, 'error', 'int'),
    ('static void f(void) { return 1; }\nint main(void) { f(); return 0; }\n',
     1, 'error', 'return'),
    ('int main(void)\n{\n\tint spare;\n\n\treturn 0;\n}\n', 3, 'warning', 'spare'),
    ('int shared(void);\nint shared(void) { return 0; }\nint own(void) { return 0; }\n',
     3, 'warning', 'own'),
    ('static int alone(void) { return 0; }\nint main(void) { return 0; }\n',
     1, 'warning', 'alone'),
    ('#define SPARE 1\nint main(void) { return 0; }\n', 1, 'warning', 'SPARE'),
)
CLEAN = 'static int twice(int n) { return 2 * n; }\nint main(void) { return twice(0); }\n'


def compiled(text):
    """What compile_unit() finds in a file of this text, in a project that has no other."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'seed.c')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        argv = ('gcc', path, *diagnostics.STRICT, *diagnostics.NO_PRODUCT)
        unit = diagnostics.Unit('seed.c', argv,
                                folder, folder)
        with mock.patch.object(work_tree, 'overlay_files', return_value=['seed.c']):
            return diagnostics.compile_unit(unit)


class Seeds(unittest.TestCase):
    def test_each_mistake_is_found_where_it_is(self):
        for text, line, kind, word in SEEDS:
            with self.subTest(text=text):
                found = compiled(text)
                self.assertTrue(found and found[0].startswith(f'seed.c:{line}: {kind}: '), found)
                self.assertIn(word, found[0])

    def test_nothing_is_found_in_what_is_right(self):
        self.assertEqual(compiled(CLEAN), [])

    def test_a_compiler_that_does_not_start_is_told(self):
        unit = diagnostics.Unit('seed.c', ('gcc', '--no-such-option'), '/', '/')
        found = diagnostics.compile_unit(unit)
        self.assertEqual(len(found), 1)
        self.assertIn('seed.c: ', found[0])


class Whose(unittest.TestCase):
    SUITE = 'tools/testing/selftests/kvm'

    def complaints(self, said, tree='/b/tree'):
        own = [f'{self.SUITE}/x86/a_test.c']
        with mock.patch.object(work_tree, 'overlay_files', return_value=own):
            return list(diagnostics.complaints(said, os.path.join(tree, self.SUITE), tree))

    def test_a_copy_in_the_work_tree_is_ours(self):
        self.assertEqual(self.complaints('x86/a_test.c:7:9: warning: unused variable'),
                         [f'{self.SUITE}/x86/a_test.c:7: warning: unused variable'])

    def test_a_warning_in_the_kernel_is_not(self):
        # The default build folder is in the project.
        for tree in ('/b/tree', os.path.join(PROJECT, 'build/kernels/7.3/tree')):
            self.assertEqual(
                self.complaints('include/kvm_util.h:7:9: warning: comparison', tree), [])

    def test_a_program_of_the_guest_is_ours(self):
        for path in ('init.c', 'klog.h'):
            path = os.path.join(GUEST_SOURCES, path)
            self.assertEqual(self.complaints(f'{path}:7:9: warning: unused variable'),
                             [f'{os.path.relpath(path, PROJECT)}:7: warning: unused variable'])

    def test_an_error_is_ours_wherever_it_is(self):
        self.assertEqual(self.complaints('include/kvm_util.h:7: fatal error: no file'),
                         ['include/kvm_util.h:7: fatal error: no file'])

    def test_notes_and_code_are_left_out(self):
        self.assertEqual(self.complaints('x86/a_test.c: In function main:\n'
                                       'x86/a_test.c:7:9: note: declared here\n'
                                       '    7 | int a; // warning: none\n'), [])


class Commands(unittest.TestCase):
    def test_nothing_is_written(self):
        argv = 'gcc -Wp,-MMD,.a.o.d -Wall -MD -MP -c -o a.o a.c'.split()
        self.assertEqual(diagnostics.without_product(argv, ('-Wextra',)),
                         ('gcc', '-Wall', 'a.c', '-Wextra', *diagnostics.NO_PRODUCT))
