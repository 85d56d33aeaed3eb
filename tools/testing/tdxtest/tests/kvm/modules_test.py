# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the commands that kbuild has saved."""

import os
import tempfile
import unittest

from tdxtest.base.failure import Failure
from tdxtest.kvm import modules


class SavedCommands(unittest.TestCase):

    COMMAND = "gcc -Wp,-MMD,k/.tdx.o.d -DX='\"a b\"' -c -o k/tdx.o /t/k/tdx.c ; objtool k/tdx.o"

    def test_read_and_replace(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, '.tdx.o.cmd'), 'w', encoding='utf-8') as f:
                f.write("savedcmd_k/tdx.o := gcc -DX='$(pound)' -c $$A\n\nsource_x := y\n")
            self.assertEqual(modules.saved_command(os.path.join(folder, 'tdx.o')),
                             "gcc -DX='#' -c $A")
            with self.assertRaisesRegex(Failure, 'is not built'):
                modules.saved_command(os.path.join(folder, 'main.o'))

    def test_replaced(self):
        text = modules.replaced(self.COMMAND, 'k/tdx.o', '/n/tdx.o')
        self.assertIn('-o /n/tdx.o /t/k/tdx.c ; objtool /n/tdx.o', text)
        self.assertIn('-MMD,k/.tdx.o.d', text)
        self.assertIn('-MMD,/n/d ', modules.replaced(self.COMMAND, 'k/.tdx.o.d', '/n/d'))
        with self.assertRaisesRegex(Failure, 'does not name k/main.o'):
            modules.replaced(self.COMMAND, 'k/main.o', '/n/main.o')
