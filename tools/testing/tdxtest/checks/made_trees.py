# SPDX-License-Identifier: GPL-2.0-only
"""The project is laid over each tree of tests/trees/, or one line says why it is not."""

import copy
import io
import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.tree import made_trees
from tdxtest.tree.made_trees import Made
from tdxtest.tree.work_tree import WorkTree

NAME = 'trees that have moved'
WHEN = When.TREE
WANTED = 8


def listening(work: WorkTree) -> tuple[WorkTree, io.StringIO]:
    """The same work tree, whose notes go into a text."""
    said = io.StringIO()
    build = copy.copy(work.build)
    build.progress = Progress(said)
    other = copy.copy(work)
    other.build = build
    return other, said


def differences(made: Made, said: str, failed: str, packaged: bool) -> Iterator[str]:
    """Lines that are wrong with how a run on a made tree ended.

    said: what the tool printed; failed: its last line, '' if it did not fail; packaged: the
    suite is not built with the selftest library of the tree.
    """
    for wanted in made.says:
        if not re.search(wanted, said):
            yield f'{made.name}: wanted a line with {wanted!r}, got {said.strip() or "none"}'
    if bool(failed) != bool(made.fails) or not re.search(made.fails, failed):
        yield f'{made.name}: wanted {made.fails or "no failure"}, got {failed or "no failure"}'
    if not failed and packaged != (made.library == 'packaged'):
        yield (f'{made.name}: wanted the selftest library of the {made.library} kernel, got '
               f'{"the other" if packaged else "that of the tree"}')


def lay(work: WorkTree, maker: made_trees.Maker, made: Made) -> Iterator[str]:
    """What is wrong with laying the project over one tree."""
    laid, said = listening(WorkTree(work.build, maker.make(made)))
    try:
        laid.lay()
        failed = ''
    except Failure as e:
        failed = str(e)
    yield from differences(made, f'{said.getvalue()}{laid.unfit}', failed, bool(laid.unfit))


def check(work: WorkTree) -> Iterator[str]:
    """Those whose end is seen without a build."""
    all_made = made_trees.load()
    if len(all_made) < WANTED:
        yield f'tests/trees: wanted at least {WANTED} patches, got {len(all_made)}'
    maker = made_trees.Maker(work, work.build.path('made-trees', 'laid'),
                             work.build.log('trees'))
    maker.begin([made_trees.LAY])
    for made in all_made:
        if made.seen == made_trees.LAY:
            yield from lay(work, maker, made)
