# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check of rows for KVM's API."""

import unittest

from tdxtest.checks import kvm_api as check
from tdxtest.tree import kvm_api

KIND = 'ioctl of a VM'
TABLE = 'tdx_ioctl_vm.def'


def row(name: str, text: str = '') -> kvm_api.Row:
    return kvm_api.Row(TABLE, KIND, name, text)


class Wrong(unittest.TestCase):

    def wrong(self, names: list[str], *rows: kvm_api.Row) -> list[str]:
        return list(check.wrong({KIND: names}, list(rows), ['tdx_a_test']))

    def test_nothing(self):
        self.assertEqual(self.wrong(['KVM_A'], row('KVM_A')), [])
        text = '.td = TDX_UNTRIED, .elsewhere = "tdx_a_test"'
        self.assertEqual(self.wrong(['KVM_A'], row('KVM_A', text)), [])

    def test_no_row(self):
        [line] = self.wrong(['KVM_A', 'KVM_B'], row('KVM_A'))
        self.assertIn('KVM_B, ioctl of a VM: has no row', line)

    def test_a_row_too_many(self):
        [line] = self.wrong([], row('KVM_A'))
        self.assertIn('the kernel has no such ioctl of a VM', line)
        [line] = self.wrong(['KVM_A'], row('KVM_A'), row('KVM_A'))
        self.assertIn('has a row already', line)

    def test_not_tried(self):
        [line] = self.wrong(['KVM_A'], row('KVM_A', 'TDX_UNTRIED'))
        self.assertIn('wanted .elsewhere', line)
        [line] = self.wrong(['KVM_A'], row('KVM_A', '.elsewhere = "tdx_b_test"'))
        self.assertIn("no test 'tdx_b_test'", line)


if __name__ == '__main__':
    unittest.main()
