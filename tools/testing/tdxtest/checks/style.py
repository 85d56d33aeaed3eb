# SPDX-License-Identifier: GPL-2.0-only
"""checkpatch.pl --strict, as it comes with the kernel, finds nothing unexcused."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.tree import checkpatch
from tdxtest.tree.project import files
from tdxtest.tree.work_tree import WorkTree

NAME = 'checkpatch'
WHEN = When.TREE
CHECKED_C = ('.c', '.h', '.S')
NOT_SENT = ('mutants/', 'tools/testing/tdxtest/tests/')


def check(work: WorkTree) -> Iterator[str]:
    names = [n for n in files() if n.endswith(CHECKED_C + ('.patch',)) and
             # The text above such a diff is for the tool, and its code is not ours to send.
             not n.startswith(NOT_SENT)]
    used: set[tuple[str, str]] = set()
    yield from checkpatch.complaints(work, [os.path.join(PROJECT, name) for name in names], used)
    for kind, prefix in checkpatch.excuses():
        if (kind, prefix) not in used:
            yield f'checkpatch.tsv: {kind} of {prefix} excuses nothing; drop the row'
