# SPDX-License-Identifier: GPL-2.0-only
"""No overlay file is a file of the kernel; patches change files that it has."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.tree import series, work_tree
from tdxtest.tree.project import text_of
from tdxtest.tree.work_tree import WorkTree

NAME = 'overlay invariant'
WHEN = When.TREE


def check(work: WorkTree) -> Iterator[str]:
    for path in work_tree.overlay_files():
        if work.pristine(path) is not None:
            yield f'{path}: Linux {work.source.version} has this file: change it by a patch'
    for patch in series.load(os.path.join(PROJECT, 'patches')):
        if not patch.kernels.holds(work.source.key()):
            continue
        for path in series.touched(text_of(f'patches/{patch.file}')):
            if work.pristine(path) is None:
                yield f'patches/{patch.file}: Linux {work.source.version} has no {path}'
