# SPDX-License-Identifier: GPL-2.0-only
"""Each ioctl, capability, attribute and flag of a packaged kernel has a row in the suite.

On a person's tree a new one is a note of the run, since somebody may be writing it.
"""

from collections.abc import Iterator, Mapping

from tdxtest.base.checking import When
from tdxtest.tree import kvm_api, suite
from tdxtest.tree.work_tree import WorkTree

NAME = "rows for KVM's API"
WHEN = When.TREE


def wrong(have: Mapping[str, list[str]], known: list[kvm_api.Row],
          tests: list[str]) -> Iterator[str]:
    """What is wrong with the tables for a kernel that has these names."""
    for kind, name in kvm_api.without_row(have, known):
        yield f'{name}, {kind}: has no row in {kvm_api.TABLES}/'
    seen = set()
    for row in known:
        if row.name not in have[row.kind]:
            yield f'{row.table}: {row.name}: the kernel has no such {row.kind}'
        if (row.kind, row.name) in seen:
            yield f'{row.table}: {row.name}: has a row already'
        seen.add((row.kind, row.name))
        if row.elsewhere() and row.elsewhere() not in tests:
            yield f'{row.table}: {row.name}: no test {row.elsewhere()!r}'
        if kvm_api.UNTRIED in row.text and not row.elsewhere():
            yield f'{row.table}: {row.name}: wanted .elsewhere, since something is not tried'


def check(work: WorkTree) -> Iterator[str]:
    if work.source.pristine:
        return
    try:
        have = kvm_api.labels(kvm_api.sources(work.tree))
    except ValueError as e:
        yield str(e)
        return
    yield from wrong(have, kvm_api.rows(), suite.names())
