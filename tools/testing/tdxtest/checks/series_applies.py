# SPDX-License-Identifier: GPL-2.0-only
"""git am takes the series on a pristine tree, and leaves what is built here."""

import os
import tempfile
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.guest.stages import Built
from tdxtest.tree import patchset, work_tree

NAME = 'patch series'
WHEN = When.BOOT
# Who signs the patches that this check makes.
AUTHOR = 'A U Thor <author@example.com>'


def check_cover(path: str, count: int) -> Iterator[str]:
    """The cover letter has no blanks left, and the numbers of all patches."""
    text = work_tree.content(path).decode()
    if '***' in text:
        yield f'{os.path.basename(path)}: a blank of git format-patch is left'
    for wanted in (f'[PATCH 00/{count:02}]', ' files changed, '):
        if wanted not in text:
            yield f'{os.path.basename(path)}: wanted {wanted!r} in it'


def check(built: Built) -> Iterator[str]:
    steps, wrong = patchset.plan(built.work.source.key())
    yield from wrong
    if wrong:
        return
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='series-') as folder:
        paths = patchset.make(built.work, os.path.join(folder, 'out'), AUTHOR)
        yield from check_cover(paths[0], len(paths) - 1)
        tip = os.path.join(folder, 'tree')
        os.makedirs(tip)
        repository = patchset.Repository(built.work, tip, steps, patchset.identity(AUTHOR),
                                         built.build.log('series'))
        try:
            repository.apply(paths[1:])
        except Failure as e:
            yield str(e)
            return
        for path in repository.git('ls-files').splitlines():
            if (work_tree.read(os.path.join(tip, path)) !=
                    work_tree.read(os.path.join(built.work.tree, path))):
                yield f'{path}: the series leaves something else than what is built'
        left = set(work_tree.overlay_files()) - set(repository.git('ls-files').splitlines())
        yield from (f'{path}: is not in the series' for path in sorted(left))
