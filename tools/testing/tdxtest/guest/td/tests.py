# SPDX-License-Identifier: GPL-2.0-only
"""What a guest needs that runs tests of td_tests.NAMES beside those of the suite."""

import os
from collections.abc import Iterable

from tdxtest.guest.stages import Built
from tdxtest.guest.td import image
from tdxtest.tree import td_tests
from tdxtest.tree.suite import Tests

# What the kernel under test, the VMM and the initramfs take beside the TD's memory.
HOST_MB = 1536


def of_a_td(tests: Tests) -> list[str]:
    """The names of those that boot a TD with a real VMM."""
    return [name for name, _ in tests if name in td_tests.NAMES]


def fitting(built: Built, shares: Iterable[Tests]) -> Built:
    """The same with a machine that has room for the TDs of its tests, if there are any."""
    if not any(map(of_a_td, shares)):
        return built
    boot = built.request.boot
    # KVM gives a TD no more vCPUs than the host has CPUs.
    return built.with_boot(machine=boot.machine.for_vmm(HOST_MB + boot.td.memory_mb),
                           cpus=max(boot.cpus, boot.td.cpus))


def files(built: Built, tests: Tests) -> dict[str, str]:
    """{path in the guest: file} that the tests need, {} for those of the suite."""
    return image.files_of(built.build, built.request.boot.td,
                          os.path.join(built.kernel.out, 'usr/gen_init_cpio'),
                          built.work.source.key(), of_a_td(tests))


def programs(built: Built, names: Iterable[str]) -> list[str]:
    """The programs of the suite among tests."""
    return [built.suite.program(name) for name in names if name not in td_tests.NAMES]
