# SPDX-License-Identifier: GPL-2.0-only
"""What a build has made of some files, by the dependencies that kbuild saved."""

import concurrent.futures
import os
import re
from collections.abc import Collection, Iterable, Iterator

from tdxtest.base import command
from tdxtest.base.failure import Failure
from tdxtest.kvm.modules import replaced, saved_command
from tdxtest.tree import work_tree
from tdxtest.tree.kernel import Kernel

# The only files whose dependencies kbuild knows.
SOURCES = ('.c', '.h', '.S')
SAVED = re.compile(r'\.(.*)\.cmd$')


def saved(out: str) -> Iterator[str]:
    """The targets below a build folder that were compiled, relative to it."""
    for folder, dirs, names in os.walk(out):
        dirs.sort()
        for name in sorted(names):
            match = SAVED.match(name)
            if match and match[1].endswith(('.o', '.s')):
                yield os.path.relpath(os.path.join(folder, match[1]), out)


def made_of(kernel: Kernel, paths: Iterable[str]) -> dict[str, list[str]]:
    """{path: the objects of a build that depend on it} of some paths of its tree."""
    wanted = {os.path.join(kernel.work.tree, path).encode(): path for path in paths}
    found: dict[str, list[str]] = {path: [] for path in wanted.values()}
    for target in saved(kernel.out) if wanted else ():
        folder, name = os.path.split(target)
        words = work_tree.content(os.path.join(kernel.out, folder, f'.{name}.cmd')).split()
        if os.path.exists(os.path.join(kernel.out, target)):
            for word in wanted.keys() & set(words):
                found[wanted[word]].append(target)
    return found


def same(kernel: Kernel, target: str, scratch: str, log: str) -> bool:
    """True if a target that is compiled again has the bytes that it has."""
    again = os.path.join(scratch, target)
    os.makedirs(os.path.dirname(again), exist_ok=True)
    folder, name = os.path.split(target)
    text = replaced(saved_command(os.path.join(kernel.out, target)), target, again)
    text = replaced(text, os.path.join(folder, f'.{name}.d'), f'{again}.d')
    try:
        command.run(['sh', '-c', text], log, cwd=kernel.out, what=f'compiling {target}')
    except Failure:
        return False    # the build of the whole kernel says why
    return work_tree.read(again) == work_tree.read(os.path.join(kernel.out, target))


def all_same(kernel: Kernel, targets: Collection[str], scratch: str) -> bool:
    """same() of several targets, side by side."""
    os.makedirs(scratch, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = [pool.submit(same, kernel, target, os.path.join(scratch, str(number)),
                            os.path.join(scratch, f'{number}.log'))
                for number, target in enumerate(targets)]
        return all(job.result() for job in jobs)
