# SPDX-License-Identifier: GPL-2.0-only
"""Copies a person's tree file by file, times kept. The tree is never written to."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Set

from tdxtest.base import command, contents
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure

# Products of a build inside a person's tree. The work tree is built in
# a folder of its own, for which the kernel wants a source without these.
PRODUCTS = ('.o', '.ko', '.a', '.cmd', '.mod', '.mod.c', '.order', '.symvers', '.d')
PRODUCT_FILES = ('.config', '.config.old', 'vmlinux', 'System.map', '.version',
                 '.missing-syscalls.d')
PRODUCT_FOLDERS = ('include/config', 'include/generated', 'arch/x86/include/generated',
                   'usr/include')
# How often the tool copies what changed while it copied.
PASSES = 5
# {path: [size, time of the last change in ns]}
Index = dict[str, list[int]]


def git(root: str, *words: str) -> str:
    """What git says of a tree that may be another user's, or on a medium that is read-only."""
    return command.output(['git', '-c', f'safe.directory={root}', '-C', root, *words],
                          env={'GIT_OPTIONAL_LOCKS': '0'}, check=False)


def is_build_folder(path: str) -> bool:
    """True for a folder that make O= has filled."""
    return os.path.exists(os.path.join(path, '.config')) and \
        os.path.isdir(os.path.join(path, 'include', 'config'))


def walked(root: str) -> Iterator[str]:
    """Paths of a tree that is not in git, build products left out."""
    for folder, dirs, files in os.walk(root):
        base = os.path.relpath(folder, root)
        base = '' if base == '.' else base + '/'
        dirs[:] = [d for d in dirs if d != '.git' and base + d not in PRODUCT_FOLDERS
                   and not is_build_folder(os.path.join(folder, d))]
        for name in files:
            if not name.endswith(PRODUCTS) and (base or name not in PRODUCT_FILES):
                yield base + name
        yield from (base + d for d in dirs if os.path.islink(os.path.join(folder, d)))


def listed(root: str) -> list[str]:
    """Paths of a person's files, build products left out."""
    if os.path.exists(os.path.join(root, '.git')):
        names = git(root, 'ls-files', '-z', '-c', '-o', '--exclude-standard').split('\0')
        if len(names) > 1:
            return sorted({name for name in names if name})
    return sorted(walked(root))


def stat_all(root: str) -> Index:
    """The files and links of a tree with their state; folders of other repositories are none."""
    found: Index = {}
    missing = []
    for path in listed(root):
        try:
            info = os.lstat(os.path.join(root, path))
        except (FileNotFoundError, NotADirectoryError):
            missing.append(path)    # in the index of git, deleted by the person
            continue
        if stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode):
            found[path] = [info.st_size, info.st_mtime_ns]
    if missing and git(root, 'config', '--bool', 'core.sparseCheckout').strip() == 'true':
        raise Failure(f'KDIR={root}: a sparse checkout without {len(missing)} file(s) such as '
                      f'{missing[0]}; run git sparse-checkout disable')
    return found


def same_file(one: str, other: str) -> bool:
    """True for two plain files of the same bytes and mode."""
    try:
        first, second = os.lstat(one), os.lstat(other)
        return (stat.S_ISREG(first.st_mode) and first.st_mode == second.st_mode and
                first.st_size == second.st_size and
                contents.content(one) == contents.content(other))
    except FileNotFoundError:
        return False


class Mirror:
    """Keeps a copy of a person's tree.

    folder: where what is known of the copy lies; tree: the copy.
    """

    def __init__(self, root: str, folder: str, tree: str) -> None:
        self.root = root
        self.tree = tree
        self.index_file = os.path.join(folder, 'mirror.json')

    def update(self, managed: Set[str], say: Callable[[str], None]) -> int:
        """Copy the files that changed since the last time, all but `managed`.

        Gives their number. What changes in the meantime is copied again.
        """
        index = self._index()
        copied: set[str] = set()
        for _ in range(PASSES):
            fresh = stat_all(self.root)
            changed = [path for path, state in fresh.items() if path not in managed and
                       (index.get(path) != state or
                        not os.path.lexists(os.path.join(self.tree, path)))]
            gone = set(index) - set(fresh) - managed
            for path in gone:
                self._remove(path)
            copied |= {*gone, *(path for path in changed if self._copy(path, bool(index)))}
            again = bool(changed) and self._moved(changed, fresh)
            index = fresh
            write_if_changed(self.index_file, json.dumps(fresh).encode())
            if not again:
                return len(copied)
            say(f'note: {again} changed while it was copied; copying what changed')
        raise Failure(f'KDIR={self.root}: files keep changing while they are copied; '
                      'stop what writes there')

    def _index(self) -> Index:
        try:
            with open(self.index_file, encoding='utf-8') as f:
                index: Index = json.load(f)
                return index
        except FileNotFoundError:
            return {}

    def _moved(self, copied: list[str], fresh: Index) -> str:
        """A file that is no longer what it was before it was copied, '' if there is none."""
        for path in copied:
            try:
                info = os.lstat(os.path.join(self.root, path))
            except (FileNotFoundError, NotADirectoryError):
                return path
            if fresh[path] != [info.st_size, info.st_mtime_ns]:
                return path
        return ''

    def _copy(self, path: str, again: bool) -> bool:
        """Copy a file; False for one that the copy has already."""
        source, target = os.path.join(self.root, path), os.path.join(self.tree, path)
        # git gives a file that it wrote again another time.
        if again and same_file(source, target):
            return False
        os.makedirs(os.path.dirname(target), exist_ok=True)
        self._remove(path)
        try:
            shutil.copy2(source, target, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except PermissionError as e:
            raise Failure(f'KDIR={self.root}: cannot read {path}: {e.strerror}') from e
        if again:
            # make compares with its products: an older file than the one before would be
            # taken for built.
            os.utime(target, follow_symlinks=False)
        return True

    def _remove(self, path: str) -> None:
        target = os.path.join(self.tree, path)
        if os.path.isdir(target) and not os.path.islink(target):
            shutil.rmtree(target)
        elif os.path.lexists(target):
            os.unlink(target)
