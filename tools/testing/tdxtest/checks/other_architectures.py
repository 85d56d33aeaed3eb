# SPDX-License-Identifier: GPL-2.0-only
"""A build of the selftests for another architecture leaves the suite out."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest.stages import Built
from tdxtest.kvm import diagnostics
from tdxtest.tree import suite

NAME = 'other architectures'
WHEN = When.BOOT
ARCHITECTURES = ('arm64', 'riscv')


def check(built: Built) -> Iterator[str]:
    own = diagnostics.own_sources(suite.FOLDER)
    for name in ARCHITECTURES:
        # Nothing is compiled: the compiler need not be there.
        sources = {source for source, _ in diagnostics.suite_commands(
            built.suite, f'ARCH={name}', f'CROSS_COMPILE={name}-linux-gnu-')}
        if not sources:
            yield f'{name}: make builds no selftest at all'
        for source in sorted(sources & own):
            yield f'{source}: is built for {name}'
