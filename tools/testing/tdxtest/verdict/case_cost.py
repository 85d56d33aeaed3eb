# SPDX-License-Identifier: GPL-2.0-only
"""Where the cost of a case goes: what guest_src/case_cost.c prints, as rows of a bench."""

import dataclasses
import re
import statistics
from collections.abc import Iterable

from tdxtest.verdict.bench_table import CALIBRATION, Row

PART = re.compile(r'\s*# part (\w+) (\d+) (\d+) (\d+) (\d+)$')
CASE = re.compile(r'\s*# case (\d+) (\d+)$')
PROGRAM = re.compile(r'\s*# cost (\d+) (\d+) (\d+) (\d+)$')

WHOLE = 'a case as a whole, emulated instructions'
PARTS = 'where they go in the average case'
PAGES = 'what a page of the initial memory costs'
# Parts of guest_src/case_cost.c, in the order of the table.
NAMES = {
    'own_harness': 'harness, before and after the case',
    'fork': 'fork(), parent and child',
    'own_test': 'test and library, before the VM',
    'check_extension': 'KVM_CHECK_EXTENSION',
    'supported_cpuid': 'KVM_GET_SUPPORTED_CPUID',
    'create_vm': 'KVM_CREATE_VM',
    'memory_slot': 'KVM_SET_USER_MEMORY_REGION2',
    'guest_memfd': 'KVM_CREATE_GUEST_MEMFD',
    'mmap': 'mmap()',
    'capabilities': 'KVM_TDX_CAPABILITIES',
    'init_vm': 'KVM_TDX_INIT_VM',
    'own_vm': 'library, with the VM and no vCPU',
    'create_vcpu': 'KVM_CREATE_VCPU',
    'vcpu_cpuid': 'CPUID of the vCPU',
    'init_vcpu': 'KVM_TDX_INIT_VCPU',
    'own_image': 'library, from the vCPU to its first entry',
    'attributes': 'KVM_SET_MEMORY_ATTRIBUTES',
    'init_memory': 'KVM_TDX_INIT_MEM_REGION',
    'finalize': 'KVM_TDX_FINALIZE_VM',
    'first_run': 'KVM_RUN, the first',
    'run': 'KVM_RUN, the others',
    'own_run': 'test, after the first entry',
    'other_ioctl': 'other ioctls',
    'own_teardown': 'library, at the end',
    'munmap': 'munmap()',
    'close': 'close()',
    'exit': 'exit of the processes',
    'wait': 'wait for other processes',
    'output': 'printf() and fflush()',
}
# Instructions of processes and threads that the case waits for, and idling.
OTHERS = 'while it waits: other processes, kernel threads'
IDLE = 'while it waits: the CPU idles'


@dataclasses.dataclass
class Part:
    """A part of all programs. ticks: without those in which the process did not run."""

    calls: int = 0
    pages: int = 0
    ticks: float = 0


def rows(said: Iterable[str]) -> list[Row]:
    """The rows of what a run with --cost says, [] if it has no case.

    Idling is given in the instructions that would take as long. All other rows of PARTS sum up
    to the average case.
    """
    parts = {name: Part() for name in NAMES}
    cases: list[tuple[int, int]] = []
    away = idle = 0
    loops: list[float] = []
    for line in map(str.rstrip, said):
        if match := PART.match(line):
            calls, pages, ticks, gone = (int(word) for word in match.groups()[1:])
            part = parts[match[1]]
            part.calls += calls
            part.pages += pages
            part.ticks += ticks - gone
            away += gone
        elif match := CASE.match(line):
            cases.append((int(match[1]), int(match[2])))
        elif match := PROGRAM.match(line):
            loops.append(int(match[2]) / int(match[1]))
            idle += int(match[4])
    if not cases or not loops:
        return []
    # A process that is away may be so in two parts at once: no more idles than is away.
    idle = min(idle, away)
    scale = CALIBRATION / statistics.median(loops)

    def row(group: str, name: str, ticks: float) -> Row:
        return Row(group, name, '', [round(ticks * scale, 1)])

    whole = sum(part.ticks for part in parts.values()) + away - idle
    found = [row(WHOLE, 'the median case, without what it waits for',
                 statistics.median(ticks - gone for ticks, gone in cases)),
             row(WHOLE, f'the average of {len(cases)} cases', whole / len(cases)),
             row(WHOLE, 'all cases', whole)]
    named = sorted(parts, key=lambda name: -parts[name].ticks)
    found += [row(PARTS, NAMES[name], parts[name].ticks / len(cases)) for name in named]
    found += [row(PARTS, OTHERS, (away - idle) / len(cases)),
              row(PARTS, IDLE, idle / len(cases))]
    pages = parts['init_memory'].pages
    if pages:
        found += [Row(PAGES, 'pages of the average case', '', [round(pages / len(cases), 1)]),
                  row(PAGES, NAMES['init_memory'], parts['init_memory'].ticks / pages),
                  row(PAGES, 'close() and exit', (parts['close'].ticks +
                                                  parts['exit'].ticks) / pages)]
    return found
