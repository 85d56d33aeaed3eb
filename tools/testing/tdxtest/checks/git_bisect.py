# SPDX-License-Identifier: GPL-2.0-only
"""Lets git bisect find commits of history.py, and tries each way that a step can end.

They are those of each change that KVM made since 6.16, and a regression.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence

from tdxtest.base import command
from tdxtest.base.checking import NotHere, When
from tdxtest.base.paths import TOOL
from tdxtest.commands.bisect import EXIT_BAD, EXIT_SKIP
from tdxtest.guest.stages import Built
from tdxtest.tree import history, kept, moved, source, work_tree
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.work_tree import WorkTree

NAME = 'git bisect'
WHEN = When.LONG
EAGAIN = 'tdx_map_gpa_test:map_gpa_answer.eagain.to_only_page'
RANGES = 'tdx_map_gpa_test:map_gpa_range.*.to_shared'
FOUND = re.compile(r'^([0-9a-f]{40}) is the first (?:bad|new) commit$', re.MULTILINE)
TRIED = re.compile(r'^git bisect (?:good|bad|skip|old|new) ([0-9a-f]{40})$', re.MULTILINE)
# More steps than a bisection of the history may take.
TOO_MANY_STEPS = 10
# (what is looked for, its number, numbers of the good and of the bad end, options)
Search = tuple[str, int, int, int, tuple[str, ...]]
# (number of a commit, options, the exit status that git must get)
STEPS: tuple[tuple[int, tuple[str, ...], int], ...] = (
    (history.NO_BUILD, (), EXIT_SKIP),
    (history.NO_TDX, (), EXIT_SKIP),
    (history.NO_TDX, ('--skip-is-bad',), EXIT_BAD),
    (history.NO_LOAD, (), EXIT_SKIP),
)


def searches(kernel: str) -> Iterator[Search]:
    """What is looked for in a kernel's history, each among commits before and after it."""
    changes = history.changes(kernel)
    last = changes[-1].number + history.DISTANCE
    for change in changes:
        yield (f'{change.what}, since {change.since}', change.number, 1, last,
               ('--expect', 'fail', '--generation', 'merged', change.case))
    yield ('the later regression', history.REGRESSION, last, history.COMMITS - 1,
           ('--generation', 'merged', RANGES))


def find(built: Built, folder: str, commits: Sequence[str], good: int, bad: int,
         options: Sequence[str]) -> tuple[str, list[str]]:
    """(the commit that git bisect names, the commits that it tried) of one search."""
    history.git(folder, 'bisect', 'start', commits[bad], commits[good])
    try:
        said = history.git(folder, 'bisect', 'run', sys.executable, TOOL, 'bisect',
                           '--build', built.build.root, *options)
        log = history.git(folder, 'bisect', 'log')
    finally:
        history.git(folder, 'bisect', 'reset')
    with open(built.build.log('bisect'), 'a', encoding='utf-8') as f:
        f.write(f'{said}\n{log}\n')
    match = FOUND.search(said)
    tried = TRIED.findall(log)
    return match[1] if match else 'none', [c for c in tried if c not in (commits[good],
                                                                        commits[bad])]


def begin_with(built: Built, work: WorkTree) -> None:
    """Let the first step begin with the products of a built kernel.

    The sources of the history have the times of the packaged ones, except those of its
    commits, so that make builds what they change.
    """
    steps = Kernel(built.build, work, built.kernel.configs)
    if not os.path.exists(steps.out):
        moved.copy(built.kernel.out, steps.out, {built.kernel.out: steps.out,
                                                 built.work.tree: work.tree})
        kept.remove(os.path.join(steps.out, 'tdxtest-built'))


def so_far(folder: str) -> str:
    """How many commits the bisection that goes on has tried."""
    log = (work_tree.read(os.path.join(folder, '.git', 'BISECT_LOG')) or b'').decode()
    # Two of them are the ends.
    return f'{max(len(TRIED.findall(log)) - 2, 0)} commit(s) tried'


def steps_of(built: Built, tried: Iterable[str]) -> Iterator[str]:
    """Lines that are wrong with the logs of a search's steps."""
    builders = []
    for commit in tried:
        path = built.build.path('bisect', f'{commit}.log')
        try:
            with open(path, encoding='utf-8') as f:
                text = f.read()
        except FileNotFoundError:
            yield f'{path}: a step left no log'
            continue
        if f'bisect: {commit[:12]}: ' not in text:
            yield f'{path}: does not say what git was told'
        builders += [commit] if 'test program(s)' in text else []
    if builders[1:]:
        yield f'the tests were built by {len(builders)} steps, wanted the first one alone'


def check(built: Built) -> Iterator[str]:
    """git bisect finds each commit, and each step ends with the right status."""
    packaged = source.unpacked(built.build).get(built.work.source.name)
    if not packaged:
        raise NotHere('a history is made of a packaged kernel only')
    folder = built.build.path('bisect-proof', f'linux-{built.work.source.name}')
    commits = history.make(built.build, folder, built.work.source.name)
    begin_with(built, WorkTree(built.build, source.from_kdir(folder)))
    # The steps are runs of their own.
    with built.build.unlocked():
        wanted = list(searches(packaged['version']))
        for what, number, good, bad, options in built.progress.each(
                'bisect', wanted, lambda search: search[0], lambda: so_far(folder)):
            found, tried = find(built, folder, commits, good, bad, options)
            built.progress.say(f'bisect: {len(tried)} steps')
            if len(tried) >= TOO_MANY_STEPS:
                yield f'{what}: {len(tried)} steps, wanted fewer than {TOO_MANY_STEPS}'
            if found != commits[number]:
                yield f'{what}: wanted {commits[number]}, git bisect found {found}'
            yield from steps_of(built, tried)
        for number, more, right in built.progress.each(
                'bisect', STEPS, lambda alone: " ".join((f'commit {alone[0]} alone', *alone[1]))):
            history.git(folder, 'checkout', '-q', commits[number])
            status = step(built, folder, (*more, '--generation', 'merged', EAGAIN))
            if status != right:
                yield f'commit {number}, {more}: wanted {right}, got {status}'


def step(built: Built, folder: str, options: Sequence[str]) -> int:
    """What one step ends with, outside of a bisection."""
    script = 'cd "$1"; shift; "$@" >> "$0" 2>&1; echo $?'
    return int(command.output(['sh', '-c', script, built.build.log('bisect'), folder,
                               sys.executable, TOOL, 'bisect', '--build', built.build.root,
                               *options]))
