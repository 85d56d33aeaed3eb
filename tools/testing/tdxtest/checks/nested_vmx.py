# SPDX-License-Identifier: GPL-2.0-only
"""The suite passes in a guest with nested VMX: QEMU on KVM, in the emulator."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest import runs, stages
from tdxtest.guest.machines import nested
from tdxtest.guest.stages import Built

NAME = 'nested VMX'
WHEN = When.LONG
# What a TD needs most of VMX: that it runs and exits, converts memory, and is interrupted.
TESTS = (('tdx_smoke_test', ''), ('tdx_map_gpa_test', ''), ('tdx_hlt_test', ''),
         ('tdx_hypercall_ipi_test', ''))


def check(built: Built) -> Iterator[str]:
    wanted = built.request.with_boot(machine=nested.MACHINE, cpus=1, jobs=1)
    guest = stages.compile_all(stages.fetch(wanted, built.build))
    done = runs.run_tests(guest, guest.suite.select(TESTS))
    built.progress.say(f'check: nested VMX: {done.verdict.summary}')
    yield from done.verdict.wrong()
