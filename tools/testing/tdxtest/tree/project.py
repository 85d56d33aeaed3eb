# SPDX-License-Identifier: GPL-2.0-only
"""The files of the project itself."""

import os

from tdxtest.base import command
from tdxtest.base.paths import PROJECT


def files() -> list[str]:
    """Paths of the project's files, relative to its top."""
    names = command.output(['git', '-c', f'safe.directory={PROJECT}', '-C', PROJECT, 'ls-files',
                            '-z', '-c', '-o', '--exclude-standard']).split('\0')
    return sorted(n for n in set(names) if n and os.path.isfile(os.path.join(PROJECT, n)))


def text_of(name: str) -> str:
    """What a file holds; name: relative to the project's top."""
    with open(os.path.join(PROJECT, name), encoding='utf-8', errors='replace') as f:
        return f.read()
