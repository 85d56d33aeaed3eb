# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kvm_api.py."""

import os
import tempfile
import unittest

from tdxtest.tree import kvm_api

# A function of each kind, and more labels than those of its own switch.
X86 = '''\
static long kvm_arch_dev_ioctl(int ioctl)
{
	switch (ioctl) {
	case KVM_A:
	case KVM_B: {
		/* case KVM_NO: */
		break;
	}
	default:
		return 0;
	}
}

int __attribute__((weak)) kvm_vm_ioctl_enable_cap(int cap)
{
	case KVM_CAP_WEAK:
}

static int __kvm_x86_dev_get_attr(int attr)
{
	case KVM_X86_ATTR:
}

static int other(void)
{
	case KVM_OTHER:
}
'''
REST = ''.join(f'''\
int {names[0]}(void)
{{
	case KVM_OF_{names[0].upper()}:
}}
''' for kind, names in kvm_api.SWITCHES.items() if kind != 'attribute of /dev/kvm')
HEADER = '''\
#define KVM_MEM_LOG_DIRTY_PAGES	(1UL << 0)
#define GUEST_MEMFD_FLAG_MMAP		(1ULL << 0)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE           (1ULL << 3)
#define KVM_PRE_FAULT_MEMORY	_IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
'''
TEXTS = {'arch/x86/kvm/x86.c': X86, 'virt/kvm/kvm_main.c': REST,
         kvm_api.HEADERS[0]: HEADER, kvm_api.HEADERS[1]: ''}
TABLE = '''\
/* VM_IOCTL(KVM_NO, ...) */
DEV_VALUE(KVM_A, 0, EACH(0, 0, 0), EACH(0, 0, 0))
VM_IOCTL(KVM_B, IN, struct kvm_b, ALL(TDX_UNTRIED),
	 ALL(0), .elsewhere = "tdx_b_test")
/* TDX_UNTRIED of the next row. */
VM_NONE(KVM_C, 0, 0)

#undef VM_NONE
'''


class Labels(unittest.TestCase):

    def test_each_kind(self):
        found = kvm_api.labels(TEXTS)
        self.assertEqual(found['ioctl of /dev/kvm'], ['KVM_A', 'KVM_B', 'KVM_OF_KVM_DEV_IOCTL'])
        self.assertEqual(found['capability of a VM'],
                         ['KVM_OF_KVM_VM_IOCTL_ENABLE_CAP_GENERIC'])
        self.assertEqual(found['attribute of /dev/kvm'], ['KVM_X86_ATTR'])
        self.assertEqual(found['flag of a slot'], ['KVM_MEM_LOG_DIRTY_PAGES'])
        self.assertEqual(found['flag of guest_memfd'], ['GUEST_MEMFD_FLAG_MMAP'])
        self.assertEqual(found['attribute of pages'], ['KVM_MEMORY_ATTRIBUTE_PRIVATE'])
        self.assertEqual(found['flag of KVM_PRE_FAULT_MEMORY'], [])

    def test_a_function_with_another_name(self):
        texts = {**TEXTS, 'virt/kvm/kvm_main.c': REST.replace('kvm_vcpu_ioctl(', 'renamed(')}
        with self.assertRaisesRegex(ValueError, r'no ioctl of a vCPU.* kvm_vcpu_ioctl\(\)'):
            kvm_api.labels(texts)


class Rows(unittest.TestCase):

    def test_rows(self):
        rows = kvm_api.rows_of('tdx_ioctl_vm.def', TABLE)
        self.assertEqual([(row.kind, row.name, row.elsewhere()) for row in rows],
                         [('ioctl of /dev/kvm', 'KVM_A', ''), ('ioctl of a VM', 'KVM_B',
                                                               'tdx_b_test'),
                          ('ioctl of a VM', 'KVM_C', '')])
        self.assertIn(kvm_api.UNTRIED, rows[1].text)
        self.assertNotIn(kvm_api.UNTRIED, rows[2].text)

    def test_the_tables_of_the_suite(self):
        self.assertEqual({row.kind for row in kvm_api.rows()},
                         {*kvm_api.SWITCHES, *kvm_api.FLAGS} - {'flag of KVM_PRE_FAULT_MEMORY'})

    def test_without_row(self):
        rows = kvm_api.rows_of('tdx_ioctl_vm.def', TABLE)
        have = {'ioctl of /dev/kvm': ['KVM_A', 'KVM_B'], 'ioctl of a VM': ['KVM_C']}
        self.assertEqual(list(kvm_api.without_row(have, rows)), [('ioctl of /dev/kvm', 'KVM_B')])


class Notes(unittest.TestCase):

    def test_an_ioctl_that_a_series_adds(self):
        with tempfile.TemporaryDirectory() as tree:
            for path, text in TEXTS.items():
                os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
                with open(os.path.join(tree, path), 'w', encoding='utf-8') as f:
                    f.write(text)
            before = kvm_api.notes(tree)
            new = X86.replace('case KVM_A:', 'case KVM_A:\n\tcase KVM_NEW:')
            after = kvm_api.notes(tree, {'arch/x86/kvm/x86.c': new})
        [note] = set(after) - set(before)
        self.assertIn('KVM_NEW, ioctl of /dev/kvm', note)

    def test_no_kernel(self):
        [note] = kvm_api.notes('/nonexistent')
        self.assertIn('not compared', note)


if __name__ == '__main__':
    unittest.main()
