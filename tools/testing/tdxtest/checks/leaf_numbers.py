# SPDX-License-Identifier: GPL-2.0-only
"""The simulated module's numbers of leafs are the kernel's."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.tree.work_tree import WorkTree
from tdxtest.verdict import sim_leafs

NAME = 'numbers of leafs'
WHEN = When.TREE
HEADERS = ('arch/x86/virt/vmx/tdx/tdx.h', 'arch/x86/include/asm/shared/tdx.h')


def check(work: WorkTree) -> Iterator[str]:
    yield from sim_leafs.check_numbers([(work.pristine(path) or b'').decode()
                                        for path in HEADERS])
