# SPDX-License-Identifier: GPL-2.0-only
"""git am takes the series on a pristine tree, and leaves what is built here."""

import os
import tempfile
from collections.abc import Iterator, Sequence

from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.guest.stages import Built
from tdxtest.tree import parts, patchset, work_tree

NAME = 'patch series'
WHEN = When.BOOT
# Who signs the patches that this check makes.
AUTHOR = 'A U Thor <author@example.com>'


def check_cover(path: str, count: int) -> Iterator[str]:
    """The cover letter has no blanks left, and the numbers of all patches."""
    text = work_tree.content(path).decode()
    if '***' in text:
        yield f'{os.path.basename(path)}: a blank of git format-patch is left'
    width = len(str(count))
    for wanted in (f'[PATCH {0:0{width}}/{count}]', ' changed, '):
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
        yield from check_tree(built, steps, paths[1:], os.path.join(folder, 'tree'))
        yield from check_parts(built, folder)


def check_tree(built: Built, steps: Sequence[patchset.Step], paths: Sequence[str],
               tip: str) -> Iterator[str]:
    """git am of all patches leaves what is built here."""
    os.makedirs(tip)
    repository = patchset.Repository(built.work, tip, steps, patchset.identity(AUTHOR),
                                     built.build.log('series'))
    try:
        repository.apply(paths)
    except Failure as e:
        yield str(e)
        return
    for path in repository.git('ls-files').splitlines():
        if (work_tree.read(os.path.join(tip, path)) !=
                work_tree.read(os.path.join(built.work.tree, path))):
            yield f'{path}: the series leaves something else than what is built'
    left = set(work_tree.overlay_files()) - set(repository.git('ls-files').splitlines())
    yield from (f'{path}: is not in the series' for path in sorted(left))


def check_parts(built: Built, folder: str) -> Iterator[str]:
    """The parts of the suite and the module, one after the other, leave the same."""
    cutter = parts.Cutter(built.work.source.key())
    mine = [piece for piece in cutter.pieces() if piece.part.kind != 'fixes']
    found = []
    for piece in mine:
        made = parts.make(built.work, piece, os.path.join(folder, piece.name), AUTHOR, 1, 'x')
        yield from (f'{piece.name}: {line}' for line in check_cover(made[0], len(made) - 1))
        found += made[1:]
    steps = [step for piece in mine for step in piece.steps]
    yield from (f'parts: {line}'
                for line in check_tree(built, steps, found, os.path.join(folder, 'parts')))
