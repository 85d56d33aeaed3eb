# SPDX-License-Identifier: GPL-2.0-only
"""The tests that boot a TD with a real VMM: their names, and their cases.

They are no part of the suite: each takes minutes, and runs by its name only. A TD has one
end, so there is a test for each.
"""

import dataclasses
import os
import re
from collections.abc import Sequence

from tdxtest.base.paths import GUEST_SOURCES

PREFIX = 'td_'
CHECKS = os.path.join(GUEST_SOURCES, 'td', 'td_checks.def')
CHECK = re.compile(r'^TD_CHECK\((\w+),', re.MULTILINE)
# Stages of a TD on its console, with a text of the line that tells of each; '' for any line.
STAGES = (('firmware', ''), ('kernel', 'Linux version'), ('userspace', 'TD: begin'))
# The VMM and the kernel under test tell of these.
FIRST, LAST = ('memory_added',), ('map_gpa', 'end', 'page_tables')
# {stage: the finding because of which it fails on a CPU with few address bits}.
FINDINGS = {'page_tables': 2}


@dataclasses.dataclass(frozen=True)
class End:
    """How a TD ends. reason: of QEMU's SHUTDOWN event; says: what its console must have."""

    reason: str
    says: str = ''
    checks: bool = False        # the checks are made before it


ENDS = {
    'power_off': End('guest-shutdown', checks=True),
    'reboot': End('guest-reset'),
    'panic': End('guest-reset', 'Kernel panic - not syncing'),
}
NAMES = tuple(PREFIX + end for end in ENDS)


def end_of(test: str) -> str:
    """The end that a test is of."""
    return test.removeprefix(PREFIX)


def checks() -> list[str]:
    """The names of what a TD's init checks."""
    with open(CHECKS, encoding='utf-8') as f:
        return CHECK.findall(f.read())


def cases(test: str) -> list[str]:
    """The case ids of a test, in their order."""
    def stages(names: Sequence[str]) -> list[str]:
        return [f'stage.{name}' for name in names]

    made = checks() if ENDS[end_of(test)].checks else []
    return [*stages(FIRST), *stages([name for name, _ in STAGES]),
            *(f'td.{name}' for name in made), *stages(LAST)]


def marks() -> dict[str, int]:
    """{TEST:CASE: finding} of the cases that are expected to fail."""
    return {f'{test}:stage.{stage}': number for test in NAMES
            for stage, number in FINDINGS.items()}
