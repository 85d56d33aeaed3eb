# SPDX-License-Identifier: GPL-2.0-only
"""Why cases of the suite skip themselves in a plain run, and what runs them.

A case that no command runs tests nothing, although the run is green.
"""

import dataclasses
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.checks import two_cpus
from tdxtest.guest.runs import GuestRun
from tdxtest.verdict import results
from tdxtest.verdict.results import Results

NAME = 'reasons of skips'
WHEN = When.RUN
PREFIX = 'SKIP '


@dataclasses.dataclass(frozen=True)
class Request:
    """Options of tdxtest.py run with which a case does not skip itself.

    older: only kernels before the newest have cases with the reason.
    """

    options: tuple[str, ...]
    older: bool = False


# As the suite gives the reason: a Request, or None for those that two_cpus.py runs.
REQUESTS = {
    two_cpus.TOO_FEW.removeprefix(PREFIX): None,
    # The generation of 7.2 and 7.3 has all cases.
    'not in this generation of the MapGPA ABI': Request(('--abi', 'fixed'), older=True),
    # It prints nothing for minutes.
    'TDX_MAP_GPA_1TIB is not 1': Request(('--env', 'TDX_MAP_GPA_1TIB=1', '--silence', '1800')),
    'KVM would leak page tables and TDX_SHARED_LEAK is not 1': Request((
        '--env', 'TDX_SHARED_LEAK=1', '--patch',
        'fixes/0002-KVM-x86-mmu-Zap-the-shared-half-of-a-TD-s-roots-on-any-host.patch')),
    # A KVM with the bug is of no use afterwards.
    'KVM would lose count of TDs and TDX_MISC_CGROUP is not 1':
        Request(('--env', 'TDX_MISC_CGROUP=1')),
    # One of them needs two CPUs.
    'the kernel does not trace the exits of KVM': Request(('--trace', '200', '--cpus', '2')),
    # In some of them KVM warns, which is a finding.
    'the kernel cannot let its own allocations fail':
        Request(('--debug', '--env', 'TDX_KVM_WARN=findings')),
    'this KVM does not have the exit for TDs': Request(('--kernel', '7.3'), older=True),
}


def skipped(run: Results) -> dict[str, list[str]]:
    """{reason: [TEST:CASE]} of a results.collect(), TEST alone for one that skipped as a whole."""
    found: dict[str, list[str]] = {}
    for test in run['tests']:
        for row in results.reported(test):
            if results.outcome(row) == 'skip':
                found.setdefault(row['note'].removeprefix(PREFIX), []).append(
                    f'{test["name"]}:{row["name"]}' if test['cases'] else test['name'])
    return found


def left_to_debug(run: Results) -> set[str]:
    """The cases TEST:CASE that skipped themselves since only the debug kernel can run them."""
    return {case for reason, cases in skipped(run).items() for case in cases
            if (request := REQUESTS.get(reason)) and '--debug' in request.options}


def check(done: GuestRun) -> Iterator[str]:
    """For each reason to skip in the run, another command runs the case.

    A case that skips itself without a reason had an assertion that failed while errno was
    EACCES.
    """
    wanted = done.built.request.boot
    if wanted.cpus > 1 or wanted.machine.name != 'bochs':
        return
    for reason, cases in skipped(done.results).items():
        if reason not in REQUESTS:
            yield f'{cases[0]}: skipped itself ("{reason}"), and no command runs it'
