# SPDX-License-Identifier: GPL-2.0-only
"""Each tree of tests/trees/ whose end is seen by a build ends with a green run, or one line."""

import copy
import dataclasses
import io
import shutil
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.checks.made_trees import differences
from tdxtest.guest import runs, stages
from tdxtest.guest.stages import Built, Laid
from tdxtest.kvm import rebuild
from tdxtest.tree import made_trees, work_tree
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.made_trees import Made
from tdxtest.tree.suite import Suite
from tdxtest.tree.work_tree import WorkTree
from tdxtest.verdict import judging

NAME = 'trees that have moved, built'
WHEN = When.LONG
# What is run with a library that was tried. The kernel is the packaged one: the programs
# need nothing of it but its uAPI.
TESTS = ('tdx_smoke_test', 'tdx_memory_fault_test', 'tdx_init_mem_region_test')


def smoke(built: Built) -> None:
    """Failure with the first problem of a few tests."""
    [guest] = runs.boot_guests(built, [[(test, []) for test in TESTS]])
    verdict = judging.judge_all([(guest.console, guest.ended, {})])
    if verdict.status:
        raise Failure(verdict.wrong()[0])


def try_suite(built: Built, laid: Laid) -> bool:
    """Build and run the suite of a tree; True if with the packaged kernel's library."""
    suite = stages.compile_suite(laid, TESTS)
    smoke(dataclasses.replace(built, suite=suite))
    return suite.work.source.name != laid.work.source.name


def try_config(built: Built, laid: Laid) -> bool:
    """Configure the kernel of a tree; True if the suite does not fit the tree."""
    kernel = Kernel(laid.build, laid.work, built.kernel.configs)
    # What was configured before says nothing again.
    shutil.rmtree(kernel.out, ignore_errors=True)
    kernel.configure()
    return bool(laid.work.unfit)


def try_kernel(built: Built, made: Made) -> bool:
    """Build and boot a whole kernel with the changes."""
    maker = made_trees.Maker(built.work, built.build.path('made-trees', 'files'),
                             built.build.log('trees'))
    maker.begin([])
    maker.make(made)
    files = {path: work_tree.read(f'{maker.folder}/{path}') for path in made.touches()}
    kernel = rebuild.whole_kernel(built.kernel, built.work, files)
    # With what the kernel says of its uAPI.
    suite = Suite(built.build, built.work, kernel.work.out('suite'), kernel.work)
    suite.compile(TESTS)
    smoke(dataclasses.replace(built, kernel=kernel, suite=suite))
    return False


def try_tree(built: Built, maker: made_trees.Maker, made: Made) -> Iterator[str]:
    """What is wrong with how the run on a tree ended."""
    said = io.StringIO()
    build = copy.copy(built.build)
    build.progress = Progress(said)
    failed, packaged = '', made.library == 'packaged'
    try:
        if made.seen == made_trees.KERNEL:
            packaged = try_kernel(built, made)
        else:
            laid = Laid(built.request, build, WorkTree(build, maker.make(made)))
            laid.work.lay()
            attempt = try_suite if made.seen == made_trees.SUITE else try_config
            packaged = attempt(dataclasses.replace(built, build=build), laid)
    except Failure as e:
        failed = str(e)
    yield from differences(made, said.getvalue(), failed, packaged)


def check(built: Built) -> Iterator[str]:
    maker = made_trees.Maker(built.work, built.build.path('made-trees', 'linux'),
                             built.build.log('trees'))
    chosen = [made for made in made_trees.load() if made.seen != made_trees.LAY]
    maker.begin({made.seen for made in chosen})
    for made in built.progress.each('trees', chosen, lambda made: made.name):
        yield from try_tree(built, maker, made)
