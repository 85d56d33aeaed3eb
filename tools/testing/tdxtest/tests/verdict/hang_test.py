# SPDX-License-Identifier: GPL-2.0-only
"""Tests of hang.py: what a console tells of a guest that did not come back."""

import os
import unittest

from tdxtest.base.paths import TEST_DATA
from tdxtest.guest import groups
from tdxtest.verdict import hang, ktap

SILENCE = 'no console output for 180 s'


def outcomes(name, ended, *plans):
    """The outcomes of a saved console. plans: (group, tests...)."""
    wanted = [groups.Group(group, (), tuple((test, []) for test in tests))
              for group, *tests in plans]
    with open(os.path.join(TEST_DATA, 'review', name), encoding='utf-8') as f:
        found, left = groups.read(f, wanted, ended)
    assert not left
    return found


def of(outcome, changed=()):
    return hang.of(outcome.console, [name for name, _ in outcome.group.tests], outcome.died,
                   changed)


class Silent(unittest.TestCase):

    def setUp(self):
        found = outcomes('silent.log', SILENCE, ('base', 'tdx_smoke_test'),
                         ('patched', 'tdx_smoke_test', 'tdx_memory_fault_test'))
        self.assertEqual([outcome.died for outcome in found], ['', SILENCE])
        self.patched = found[1]

    def test_case_and_stack(self):
        found = of(self.patched, {'tdx_handle_ept_violation', 'tdx_sept_remove'})
        self.assertEqual((found.where(), found.why),
                         ('hangs in tdx_memory_fault_test:memory_fault.shared.resolved', SILENCE))
        self.assertEqual(found.stack[:3], ('tdx_handle_ept_violation', 'tdx_handle_exit',
                                           'vcpu_enter_guest.constprop.0'))
        self.assertEqual(found.changed, ('tdx_handle_ept_violation',))
        self.assertEqual(found.lines()[:2], [
            f'the guest hangs in tdx_memory_fault_test:memory_fault.shared.resolved: {SILENCE}',
            '  tdx_handle_ept_violation  <- changed by the series'])

    def test_functions_that_are_inlined(self):
        asked = []

        def inlined(name, offset):
            asked.append((name, offset))
            return ([('tdx_sept_add', 'vmx/tdx.c:7'), (name, 'vmx/tdx.c:99')]
                    if name == 'tdx_handle_exit' else [])

        found = hang.of(self.patched.console, ['tdx_smoke_test', 'tdx_memory_fault_test'],
                        SILENCE, {'tdx_sept_add'}, inlined)
        # The first frame is where the task is, the second one where a call returns to.
        self.assertIn(('tdx_handle_ept_violation', 0x91), asked)
        self.assertIn(('tdx_handle_exit', 0x1d4), asked)
        self.assertEqual((found.changed, found.stack[1:3]),
                         (('tdx_sept_add',), ('tdx_sept_add', 'tdx_handle_exit')))
        self.assertEqual(found.lines()[1:4], [
            '  tdx_handle_ept_violation',
            '  tdx_sept_add at vmx/tdx.c:7  <- changed by the series',
            '  tdx_handle_exit at vmx/tdx.c:99'])

    def test_a_task_that_an_interrupt_stopped(self):
        stack = hang.frames(['irqentry_exit+0x282/0x680',
                             'asm_sysvec_apic_timer_interrupt+0x16/0x20',
                             'tdx_handle_exit+0x3ac/0xdb0 [kvm_intel]',
                             'kvm_vcpu_ioctl+0x2c8/0x900 [kvm]'])
        self.assertEqual(stack, [hang.Frame('tdx_handle_exit', 0x3ac),
                                 hang.Frame('kvm_vcpu_ioctl', 0x2c7)])

    def test_a_task_that_runs_on_another_cpu(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..3', 'ok 1 load_kvm', '  #  RUN           f.x ...',
                     '# hang: a_test says nothing for 20 s of guest time',
                     '# hang: task 35 a_test R',
                     '# kernel: [    9.0] sysrq: Show backtrace of all active CPUs',
                     '# kernel: [    9.1] NMI backtrace for cpu 0',
                     '# kernel: [    9.2] RIP: 0010:delay_tsc+0x1/0x2',
                     '# kernel: [    9.3]  <TASK>',
                     '# kernel: [    9.4]  sysrq_handle_showallcpus+0x1/0x2',
                     '# kernel: [    9.5]  </TASK>', '# kernel: [    9.6] NMI backtrace for cpu 1',
                     '# kernel: [    9.7] RIP: 0010:tdx_handle_exit+0x3ac/0xdb0 [kvm_intel]',
                     '# kernel: [    9.8] Call Trace:', '# kernel: [    9.9]  <TASK>',
                     '# kernel: [    9.9]  kvm_vcpu_ioctl+0x2c8/0x900 [kvm]',
                     '# kernel: [    9.9] RIP: 0033:0x7f31608e6d6b',
                     '# kernel: [    9.9]  </TASK>'):
            console.feed(line)
        found = hang.of(console, ['a_test'], SILENCE)
        self.assertEqual(found.stack, ('tdx_handle_exit', 'kvm_vcpu_ioctl'))
        # A case after it did not hang yet.
        console.feed('  ok 1 f.x')
        console.feed('  #  RUN           f.y ...')
        self.assertEqual(hang.of(console, ['a_test'], SILENCE).stack, ())

    def test_no_changed_function_in_it(self):
        found = of(self.patched, {'tdx_vm_init'})
        self.assertEqual((found.stack[0], found.changed), ('tdx_handle_ept_violation', ()))


class Panic(unittest.TestCase):

    def test_soft_lockup(self):
        found = of(outcomes('soft_lockup.log', 'the kernel panicked',
                            ('patched', 'tdx_smoke_test'))[0], {'tdx_vcpu_run'})
        self.assertEqual(found.where(), 'hangs in tdx_smoke_test:smoke.run')
        # Neither the trace of the warning before nor the frames of the interrupt.
        self.assertEqual(found.stack, ('tdx_vcpu_run',
                                       'vcpu_enter_guest.constprop.0', 'kvm_arch_vcpu_ioctl_run',
                                       'entry_SYSCALL_64_after_hwframe'))
        self.assertEqual(found.changed, ('tdx_vcpu_run',))

    def test_after_an_oops(self):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..3', 'ok 1 load_kvm', '  #  RUN           f.x ...',
                     '[    2.0] BUG: kernel NULL pointer dereference, address: 0000000000000008',
                     '[    2.1] RIP: 0010:tdx_a+0x1/0x2 [kvm_intel]', '[    2.2] Call Trace:',
                     '[    2.3]  tdx_b+0x1/0x2 [kvm_intel]',
                     '[    2.4] Kernel panic - not syncing: Fatal exception'):
            console.feed(line)
        found = hang.of(console, ['a_test'], console.panic, {'tdx_b'})
        self.assertEqual((found.where(), found.stack), ('dies in a_test:f.x', ('tdx_a', 'tdx_b')))


class Steps(unittest.TestCase):

    def check(self, want, *lines):
        console = ktap.Console()
        for line in ('KTAP version 1', '1..3', *lines):
            console.feed(line)
        self.assertEqual(hang.of(console, ['a_test'], SILENCE).where(), want)

    def test_without_a_case(self):
        self.check('hangs in load_kvm')
        self.check('hangs in a_test', 'ok 1 load_kvm')
        self.check('hangs in unload_kvm', 'ok 1 load_kvm', '  #  RUN           f.x ...',
                   '  ok 1 f.x', 'ok 2 a_test')
