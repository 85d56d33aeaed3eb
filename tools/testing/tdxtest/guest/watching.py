# SPDX-License-Identifier: GPL-2.0-only
"""Waits until somebody changes a source file."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator

from tdxtest.base.paths import PROJECT
from tdxtest.guest.request import Request
from tdxtest.tree.mirror import PRODUCTS
from tdxtest.tree.work_tree import OVERLAY

# Folders of the project that a run is made of.
OWN = (*OVERLAY, 'patches')
# A file that an editor writes comes in parts.
SETTLE_S = 0.3
# Looking at all files takes this part of the time at most.
BUSY = 0.1
# {file: (time, size)}
State = dict[str, tuple[int, int]]


def roots(request: Request) -> list[str]:
    """The folders whose files a run is made of: a person's tree, and the project's own."""
    own = [os.path.join(PROJECT, folder) for folder in OWN]
    return [os.path.abspath(os.path.expanduser(request.build.kdir)), *own] \
        if request.build.kdir else own


def entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files below a folder that somebody may have written."""
    with (contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError),
          os.scandir(folder) as found):
        for entry in found:
            hidden = entry.name.startswith('.') or entry.name == '__pycache__'
            if entry.is_dir(follow_symlinks=False):
                if not hidden:
                    yield from entries(entry.path)
            elif not hidden and not entry.name.endswith((*PRODUCTS, '~', '.swp', '.pyc')):
                yield entry


def state(folders: Iterable[str]) -> State:
    """The time and size of each source file."""
    found: State = {}
    for folder in folders:
        for entry in entries(folder):
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            found[entry.path] = (info.st_mtime_ns, info.st_size)
    return found


def changed(before: State, after: State) -> list[str]:
    """The files that are new, gone, or other than before."""
    return sorted(path for path in before.keys() | after.keys()
                  if before.get(path) != after.get(path))


def wait(folders: Iterable[str], before: State,
         sleep: Callable[[float], object] = time.sleep) -> list[str]:
    """The files that changed since `before`, as soon as there are any."""
    folders = list(folders)
    while True:
        begin = time.monotonic()
        found = changed(before, state(folders))
        if found:
            sleep(SETTLE_S)
            return found
        sleep(max(0.5, (time.monotonic() - begin) / BUSY))
