# SPDX-License-Identifier: GPL-2.0-only
"""patches/series loads, lists every patch once, and patches that always apply first."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.base.progress import Progress
from tdxtest.tree import series
from tdxtest.tree.project import files

NAME = 'patches/series'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    folder = os.path.join(PROJECT, 'patches')
    rows = series.load(folder)
    kinds = [series.KINDS.index(row.kind) for row in rows]
    for row, before, kind in zip(rows[1:], kinds, kinds[1:]):
        if kind < before:
            yield (f'patches/series: {row.file} comes after a row of a later kind; '
                   f'the order is {", ".join(series.KINDS)}')
    listed = [row.file for row in rows]
    for file in sorted({f for f in listed if listed.count(f) > 1}):
        ranges = [row.kernels for row in rows if row.file == file]
        if any(a.holds(b.since) for a in ranges for b in ranges if a is not b):
            yield f'patches/series: {file} is listed twice for one kernel'
    for name in files():
        if name.startswith('patches/') and name.endswith('.patch') and name[8:] not in listed:
            yield f'{name}: is not in patches/series'
