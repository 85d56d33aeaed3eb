# SPDX-License-Identifier: GPL-2.0-only
"""Files that a review changes for a while, with copies that outlive a killed run."""

import json
import os
import shutil
from collections.abc import Iterable

from tdxtest.base.build_folder import write_if_changed

# Below the folder of a kernel.
COPIES = 'review/kept'
MARKER = 'review/kept.json'


def keep(folder: str, paths: Iterable[str]) -> None:
    """Copy files and folders below `folder` aside, for restore(). One may not be there."""
    restore(folder)
    names = [os.path.relpath(path, folder) for path in paths]
    copies = os.path.join(folder, COPIES)
    shutil.rmtree(copies, ignore_errors=True)
    for name in names:
        copy(os.path.join(folder, name), os.path.join(copies, name))
    # Written last: what it names is whole.
    write_if_changed(os.path.join(folder, MARKER), json.dumps(names, indent=1).encode())


def restore(folder: str) -> None:
    """Give back what keep() copied, unless that was done. A killed restore() starts anew."""
    marker = os.path.join(folder, MARKER)
    try:
        with open(marker, encoding='utf-8') as f:
            names = json.load(f)
    except FileNotFoundError:
        return
    for name in names:
        remove(os.path.join(folder, name))
        copy(os.path.join(folder, COPIES, name), os.path.join(folder, name))
    os.unlink(marker)


def remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def copy(source: str, target: str) -> None:
    """Copy a file or folder with its times; a file that is not there is none."""
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True)
    elif os.path.exists(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target)
