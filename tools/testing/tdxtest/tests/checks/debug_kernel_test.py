# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of debug_kernel.py."""

import os
import re
import tempfile
import types
import unittest

from tdxtest.base.paths import GUEST_SOURCES
from tdxtest.checks import debug_kernel
from tdxtest.tree import kernel


class Reports(unittest.TestCase):
    LOG = [f'[    1.0] {text}, and more' for _, text in debug_kernel.REPORTS]

    def test_all_are_there(self):
        self.assertEqual(list(debug_kernel.unreported(self.LOG)), [])

    def test_each_is_missed(self):
        for number, (option, text) in enumerate(debug_kernel.REPORTS):
            found = list(debug_kernel.unreported(self.LOG[:number] + self.LOG[number + 1:]))
            self.assertEqual(len(found), 1)
            self.assertIn(f'CONFIG_{option}: wanted "{text}"', found[0])

    def test_options_are_of_the_debug_kernel(self):
        """An option that has a defect is asked for, or comes with one that is."""
        asked = kernel.fragments(['debug'])
        implied = {'PROVE_RCU': 'PROVE_LOCKING', 'KASAN_STACK': 'KASAN'}
        for option, _ in debug_kernel.REPORTS:
            self.assertEqual(asked.get(implied.get(option, option)), 'y', option)

    def test_each_defect_is_called(self):
        with open(os.path.join(GUEST_SOURCES, 'defects.c'), encoding='utf-8') as f:
            text = f.read()
        defects = re.findall(r'^static void (\w+)\(void\)', text, re.MULTILINE)
        called = re.findall(r'^\t(\w+)\(\);$', text.split('defects_init')[1], re.MULTILINE)
        self.assertEqual(called, defects)
        self.assertEqual(len(called), len(debug_kernel.REPORTS))


class Noinstr(unittest.TestCase):
    SAID = ('defects.o: error: objtool: defects_noinstr+0x9: call to defects_instrumented() '
            'leaves .noinstr.text section')

    def check(self, status, said, command='objtool --noinstr --link'):
        """What is found if objtool ends with `status` after it `said` something."""
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, 'objtool')
            with open(program, 'w', encoding='utf-8') as f:
                f.write(f'#!/bin/sh\necho "{said}"; exit {status}\n')
            os.chmod(program, 0o755)
            with open(os.path.join(folder, '.vmlinux.o.cmd'), 'w', encoding='utf-8') as f:
                f.write('savedcmd_vmlinux.o := ld -r -o vmlinux.o vmlinux.a ; '
                        f'./{command} vmlinux.o\n')
            built = types.SimpleNamespace(
                kernel=types.SimpleNamespace(out=folder),
                build=types.SimpleNamespace(log=lambda name: os.path.join(folder, name)))
            return list(debug_kernel.check_noinstr(built, folder))

    def test_refused(self):
        self.assertEqual(self.check(1, self.SAID), [])

    def test_taken(self):
        self.assertIn('takes what is noinstr', self.check(0, '')[0])

    def test_refused_for_something_else(self):
        self.assertIn('wanted "', self.check(1, 'cannot open defects.o')[0])

    def test_objtool_is_not_called(self):
        self.assertIn('does not look', self.check(0, '', command='true')[0])
