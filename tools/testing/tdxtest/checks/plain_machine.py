# SPDX-License-Identifier: GPL-2.0-only
"""The suite's first test passes on a CPU without the MSR of TDX, as a guest of KVM has it."""

import sys
from collections.abc import Iterator

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.base.paths import TOOL
from tdxtest.guest.stages import Built

NAME = 'machine without the MSR'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    argv = [sys.executable, TOOL, 'run', '--build',
            built.build.root, '--machine', 'bochs-plain', '--jobs', '1', 'tdx_smoke_test']
    with built.build.unlocked():
        said = command.output(argv, check=False).strip().splitlines()
    if not said or not said[-1].startswith('PASS: '):
        yield f'bochs-plain: {said[-1] if said else "no output"}'
