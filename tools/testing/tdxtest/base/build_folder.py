# SPDX-License-Identifier: GPL-2.0-only
"""The build folder: where each product lies, and who may write to it."""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator

from tdxtest.base import apt
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress

# The kernel's make takes no path with a space or colon, and the shells that it runs
# take none with a character of their own.
UNFIT = re.compile(r'[^\w/.,@+~-]')
# What compilers need for temporary files: one compiler runs for each CPU of the machine.
TEMPORARY_BYTES = 512 << 20

class Build:
    """Paths below the build folder, with what every stage needs."""

    def __init__(self, root: str, progress: Progress, mirror: str = '') -> None:
        self.root = os.path.abspath(os.path.expanduser(root))
        self.progress = progress
        self._mirror = mirror
        self._apt: apt.IsolatedApt | None = None
        os.makedirs(os.path.join(self.root, 'logs'), exist_ok=True)
        self._lock = open(os.path.join(self.root, 'lock'), 'w', encoding='utf-8')
        self._claim()
        make_room(self.path('tmp'))

    def _claim(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            self._lock.close()
            raise Failure(f'another run uses {self.root}; wait for it, or give '
                          'this one a folder of its own with BUILD=') from e

    def close(self) -> None:
        """Give the folder up."""
        self._lock.close()

    @contextlib.contextmanager
    def unlocked(self) -> Iterator[None]:
        """Leave the folder to runs that the body starts and waits for."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        try:
            yield
        finally:
            self._claim()

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def folder(self, *parts: str) -> str:
        """A path that is a folder from now on."""
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def log(self, name: str) -> str:
        return self.path('logs', f'{name}.log')

    def mirror(self) -> str:
        """The Debian mirror: the one that was asked for, or the one of the system's apt."""
        return self._mirror or apt.system_mirror()

    def isolated_apt(self, refresh: bool = False) -> apt.IsolatedApt:
        """The isolated apt state, its package lists read."""
        if not self._apt:
            self._apt = apt.IsolatedApt(self.folder('apt'), self.mirror())
        if refresh or not self._apt.ready():
            with self.progress.step('apt', f'reading package lists from {self._apt.mirror}'):
                self._apt.update(self.log('apt'), self.progress.say)
        return self._apt

    @staticmethod
    def folder_size(path: str) -> Callable[[], str]:
        """A function that tells how much a folder holds, for a step's line."""
        def detail() -> str:
            total = 0
            for folder, _, names in os.walk(path):
                for name in names:
                    try:
                        total += os.lstat(os.path.join(folder, name)).st_size
                    except OSError:
                        continue
            return f'{total / 1e6:.0f} MB so far'
        return detail


def check_name(root: str) -> None:
    """UsageError for a build folder that no kernel can be built in."""
    path = os.path.realpath(os.path.expanduser(root))
    unfit = UNFIT.search(path)
    if unfit:
        raise UsageError(f'cannot build a kernel in {path}: its make takes no path with '
                         f'{unfit[0]!r} in it; set BUILD= to a folder without')


def make_room(folder: str) -> None:
    """Have programs put temporary files into `folder` if their own place is small or none."""
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except FileNotFoundError:
        free = 0
    if free < TEMPORARY_BYTES:
        os.makedirs(folder, exist_ok=True)
        os.environ['TMPDIR'] = tempfile.tempdir = folder


def write_if_changed(path: str, data: bytes) -> bool:
    """Write bytes unless the file holds them, since make compares times. True if written."""
    try:
        with open(path, 'rb') as f:
            if f.read() == data:
                return False
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temp = f'{path}.tdxtest-tmp'
    with open(temp, 'wb') as f:
        f.write(data)
    os.replace(temp, path)
    return True
