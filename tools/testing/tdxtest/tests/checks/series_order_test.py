# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check of the order in which patches add files."""

import unittest

from tdxtest.checks import series_order
from tdxtest.tree.patchset import Step

KVM = 'tools/testing/selftests/kvm'
A, B = f'{KVM}/include/x86/tdx/a.h', f'{KVM}/lib/x86/tdx/b.c'
SIM = 'arch/x86/virt/vmx/tdx/sim'
ROWS, TABLE = f'{SIM}/state/rows.def', f'{SIM}/state/table.c'
TEXTS = {B: '#include "kvm_util.h"\n#include "tdx/a.h"\n', TABLE: '#include "rows.def"\n'}


class TooEarly(unittest.TestCase):

    def lines(self, *files):
        steps = [Step(f'Add {number}', '', [file]) for number, file in enumerate(files)]
        return list(series_order.too_early(steps, {A, B, ROWS, TABLE}, TEXTS))

    def test_what_is_included_comes_before(self):
        self.assertEqual(self.lines(A, B, ROWS, TABLE), [])

    def test_what_comes_after(self):
        self.assertEqual(self.lines(B, A), [f'Add 0: {B} includes a.h, which a later patch adds'])
        self.assertEqual(len(self.lines(TABLE, ROWS)), 1)

    def test_what_comes_with_it(self):
        self.assertEqual(list(series_order.too_early([Step('Add', '', [B, A])], {A, B}, TEXTS)), [])
