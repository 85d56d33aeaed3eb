# SPDX-License-Identifier: GPL-2.0-only
"""Writes an initramfs: a cpio archive in the form "newc", without root rights.

Documentation/driver-api/early-userspace/buffer-format.rst has the form.
"""

import os
import stat
import typing
from collections.abc import Iterable, Mapping

MAGIC = b'070701'
TRAILER = 'TRAILER!!!'
FILE, FOLDER = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
CONSOLE = ('dev/console', stat.S_IFCHR | 0o600, 5, 1)


def padding(size: int) -> bytes:
    """What comes after `size` bytes: everything begins at a multiple of 4."""
    return bytes(-size % 4)


def header(number: int, name: str, mode: int, size: int = 0, major: int = 0,
           minor: int = 0) -> bytes:
    """The header of a file, and its name. number: of the inode; major, minor: of a device."""
    encoded = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(encoded), 0)
    head = MAGIC + b''.join(b'%08x' % field for field in fields) + encoded
    return head + padding(len(head))


def folders(paths: Iterable[str]) -> list[str]:
    """The folders above the paths, those of a folder before itself; none has a '/' first."""
    found = set()
    for path in paths:
        while path := os.path.dirname(path):
            found.add(path)
    return sorted(found)


def write(target: typing.BinaryIO, files: Mapping[str, str]) -> None:
    """Write an archive of files, {absolute path in it: file}, and of the console's device."""
    names = {name.lstrip('/'): path for name, path in files.items()}
    number = 0
    for name in folders([*names, CONSOLE[0]]):
        number += 1
        target.write(header(number, name, FOLDER))
    target.write(header(number + 1, CONSOLE[0], CONSOLE[1], 0, *CONSOLE[2:]))
    for number, (name, path) in enumerate(names.items(), number + 2):
        with open(path, 'rb') as f:
            data = f.read()
        target.write(header(number, name, FILE, len(data)) + data + padding(len(data)))
    target.write(header(0, TRAILER, 0))
