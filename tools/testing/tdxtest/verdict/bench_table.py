# SPDX-License-Identifier: GPL-2.0-only
"""The figures of a bench: rows of samples, ratios of two, and targets for them."""

import dataclasses
import re
import statistics
import typing
from collections.abc import Iterable, Iterator, Sequence

BENCH_LINE = re.compile(r'\s*# bench (\w+) (\w+) (\d+) (-?\d+)$')
RANGE_LINE = re.compile(r'\s*# range (\d+) (\d+) (\d+) (-?\d+)$')
GUEST = "a TD's exits, emulated instructions"
RANGES = 'one MapGPA over a range, emulated instructions for each exit'
MEMORY = 'one MapGPA over a range, memory of the host that it took'
# What is compared: a TD, and a plain VM, which is the nearest thing without TDX.
TD, VM = 'TD', 'plain VM'
WHO = {'td': TD, 'vm': VM}
OPERATIONS = {'hypercall_exit': 'hypercall to userspace',
              'hypercall_in_kvm': 'hypercall within KVM',
              'page_fault': 'page mapped by KVM',
              'seamcall': 'SEAMCALL that does nothing'}
# Instructions of one turn of the calibration's loop.
CALIBRATION = 2


@dataclasses.dataclass
class Row:
    """Samples of one thing."""

    group: str
    name: str
    unit: str
    samples: list[float]

    def median(self) -> float:
        return statistics.median(self.samples)

    def as_dict(self) -> dict[str, typing.Any]:
        return {**dataclasses.asdict(self), 'median': self.median()}

    def line(self) -> str:
        low, high = min(self.samples), max(self.samples)
        return (f'  {self.name:44} {number(self.median()):>10} {self.unit:5} '
                f'{number(low):>10} to {number(high):<10} n={len(self.samples)}')


@dataclasses.dataclass(frozen=True)
class Target:
    """A limit for a figure; value is None where the figure was not measured."""

    name: str
    limit: float
    unit: str
    value: float | None

    @property
    def held(self) -> bool:
        return self.value is None or self.value <= self.limit

    def as_dict(self) -> dict[str, typing.Any]:
        return {**dataclasses.asdict(self), 'held': self.held}

    def line(self) -> str:
        if self.value is None:
            return f'  {self.name:58} not measured'
        verdict = 'holds' if self.held else 'MISSED'
        return (f'  {self.name:58} {self.value:8.2f} {self.unit:5} at most {self.limit:g}: '
                f'{verdict}')


def number(value: float) -> str:
    return f'{value:.0f}' if abs(value) >= 1000 else f'{value:.2f}'.rstrip('0').rstrip('.')


def size_name(size: int) -> str:
    for shift, unit in ((40, 'TiB'), (30, 'GiB'), (20, 'MiB')):
        if size >> shift:
            return f'{size >> shift} {unit}'
    return f'{size} bytes'


def parse_guest(said: Iterable[str]) -> list[Row]:
    """Rows of what tdx_exit_bench prints, in emulated instructions."""
    samples: dict[tuple[str, str], list[float]] = {}
    ranges = []
    for line in said:
        if match := BENCH_LINE.match(line.rstrip()):
            name, who, count, ticks = match[1], match[2], int(match[3]), int(match[4])
            samples.setdefault((name, who), []).append(ticks / count)
        elif match := RANGE_LINE.match(line.rstrip()):
            ranges.append([int(word) for word in match.groups()])
    turns = samples.pop(('calibrate', 'host'), None)
    if not turns:
        return []
    scale = CALIBRATION / statistics.median(turns)
    rows = [Row(GUEST, f'{OPERATIONS.get(name, name)}, {WHO.get(who, who)}', '', [
        round(value * scale, 1) for value in values]) for (name, who), values in samples.items()]
    for size, exits, ticks, kib in ranges:
        rows.append(Row(RANGES, f'{size_name(size)}, {exits} exits', '',
                        [round(ticks * scale / exits, 1)]))
        rows.append(Row(MEMORY, size_name(size), 'KiB', [kib]))
    return rows


def median_of(rows: Iterable[Row], group: str, name: str) -> float | None:
    for row in rows:
        if (row.group, row.name) == (group, name):
            return row.median()
    return None


def ratio(rows: Sequence[Row], above: tuple[str, str], below: tuple[str, str]) -> float | None:
    """Median of one (group, name) over that of another, None without one of them."""
    whole, part = median_of(rows, *above), median_of(rows, *below)
    return whole / part if whole is not None and part else None


def over_vm(rows: Sequence[Row], operation: str) -> float | None:
    """An operation of a TD over that of a plain VM."""
    name = OPERATIONS[operation]
    return ratio(rows, (GUEST, f'{name}, {TD}'), (GUEST, f'{name}, {VM}'))


def growth(rows: Iterable[Row]) -> float | None:
    """Cost of an exit in the longest range over that in the middle one."""
    each = [row.median() for row in rows if row.group == RANGES]
    return each[-1] / each[len(each) // 2] if len(each) > 2 else None


def memory(rows: Iterable[Row]) -> float | None:
    """The most memory that a range took."""
    return max((row.median() for row in rows if row.group == MEMORY), default=None)


def targets(rows: Sequence[Row]) -> list[Target]:
    """Every limit that the project has set itself, with what was measured."""
    return [
        Target('hypercall to userspace, TD over plain VM', 1.45, 'times',
               over_vm(rows, 'hypercall_exit')),
        Target('hypercall within KVM, TD over plain VM', 1.95, 'times',
               over_vm(rows, 'hypercall_in_kvm')),
        Target('page mapped by KVM, TD over plain VM', 2.5, 'times',
               over_vm(rows, 'page_fault')),
        Target('cost of an exit, longest range over the middle one', 1.1, 'times', growth(rows)),
        Target('memory that a range of MapGPA takes', 256, 'KiB', memory(rows)),
        Target('from an edit of tdx.c to the verdict of MapGPA', 30, 's',
               median_of(rows, 'after an edit of tdx.c', 'tdx_map_gpa_test')),
        Target('from an edit of tdx.c to the verdict of the suite', 90, 's',
               median_of(rows, 'after an edit of tdx.c', 'whole suite')),
        Target('full build of the kernel from nothing', 240, 's',
               median_of(rows, 'from nothing', 'build')),
        Target('run of one test, here over one suite of kunit.py', 1, 'times',
               ratio(rows, ('nothing changed', 'tdx_smoke_test'), ('kunit.py', 'one suite'))),
        Target('run of all tests, here over all suites of kunit.py', 1, 'times',
               ratio(rows, ('nothing changed', 'whole suite'), ('kunit.py', 'all suites'))),
        Target('run of one test, here over a boot by virtme-ng', 1, 'times',
               ratio(rows, ('nothing changed', 'tdx_smoke_test'), ('virtme-ng', 'boot'))),
    ]


def lines(rows: Sequence[Row], limits: Iterable[Target]) -> Iterator[str]:
    """The table."""
    for group in dict.fromkeys(row.group for row in rows):
        yield f'{group}: median, smallest to largest'
        yield from (row.line() for row in rows if row.group == group)
    yield 'ratios, TD over plain VM'
    for operation, name in OPERATIONS.items():
        value = over_vm(rows, operation)
        if value:
            yield f'  {name:44} {value:10.2f}'
    yield 'targets'
    for limit in limits:
        yield limit.line()
