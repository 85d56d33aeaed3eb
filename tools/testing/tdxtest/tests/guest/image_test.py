# SPDX-License-Identifier: GPL-2.0-only
"""What the image of a guest has in it."""

import unittest

from tdxtest.guest import image


class Plan(unittest.TestCase):
    def test_the_plan_of_the_guest(self):
        plan = image.plan_text([('a_test', ['-r', 'x'])], [('/o/kvm.ko', []),
                               ('/o/kvm-intel.ko', ['tdx=1'])], 'mark', 60, False)
        self.assertEqual(plan, 'watermark mark\nmodule /lib/kvm.ko\n'
                               'module /lib/kvm-intel.ko tdx=1\ntimeout 60\ntest a_test -r x\n')
        self.assertTrue(image.plan_text([('a_test', []), ('td_boot', [])], [], '', 60, False,
                                        times=2).startswith(
            'timeout 60\ntest a_test\ntest td_boot\nrepetition 2\ntimeout 60\ntest a_test\n'))
        self.assertIn('\ntrace 50\n', image.plan_text([], [], '', 60, False, trace=50))

    def test_warnings_that_are_expected(self):
        def at_unload(*tests, shell=''):
            plan = image.plan_text([(test, []) for test in tests], [], '', 60, bool(shell),
                                   shell_program=shell)
            return [line for line in image.expected_warnings(plan).splitlines()
                    if line.startswith('unload_kvm ')]

        self.assertEqual(at_unload('tdx_smoke_test'), [])
        self.assertEqual(at_unload('tdx_smoke_test', 'td_reboot'),
                         ['unload_kvm kmem_cache_destroy kvm_mmu_page_header: '
                          'Slab cache still has objects'])
        self.assertEqual(at_unload(shell='/tests/td_power_off --shell'), at_unload('td_power_off'))
        self.assertIn('finding 3 free_nested+\n', image.expected_warnings(''))
