# SPDX-License-Identifier: GPL-2.0-only
"""Lets make take the products of a build for its own after they were moved or copied.

make compares times, and kbuild the command lines that it saved, which have absolute paths.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping

from tdxtest.base.build_folder import write_if_changed

# Files of a build that have its paths. A binary that has some does not use them.
TEXTS = re.compile(r'.*\.(?:cmd|d|s)$|Makefile$')
# Says where a folder was when it was built, and when.
STAMP = 'place.json'


def files(folder: str) -> Iterator[str]:
    for base, dirs, names in os.walk(folder):
        for name in names + [d for d in dirs if os.path.islink(os.path.join(base, d))]:
            yield os.path.join(base, name)


def rewrite(path: str, data: bytes) -> None:
    """Write a file that keeps its times and mode. Other hard links keep the old one."""
    temp = f'{path}.tdxtest-tmp'
    with open(temp, 'wb') as f:
        f.write(data)
    shutil.copystat(path, temp)
    os.replace(temp, path)


def map_paths(folder: str, places: Mapping[str, str]) -> int:
    """Have the products in a folder name new places. Gives how many files changed.

    places: {absolute path before: absolute path now}, of folders. No file gets another time.
    """
    words = sorted(places, key=len, reverse=True)
    old = re.compile('|'.join(f'{re.escape(word)}(?![\\w.-])' for word in words).encode())

    def new(match: re.Match[bytes]) -> bytes:
        return places[match[0].decode()].encode()

    changed = 0
    for path in files(folder):
        if os.path.islink(path):
            target = os.fsencode(os.readlink(path))
            mapped = old.sub(new, target)
            if mapped != target:
                os.unlink(path)
                os.symlink(os.fsdecode(mapped), path)
                changed += 1
        elif TEXTS.match(os.path.basename(path)):
            with open(path, 'rb') as f:
                data = f.read()
            mapped = old.sub(new, data)
            if mapped != data:
                rewrite(path, mapped)
                changed += 1
    return changed


def copy(source: str, target: str, places: Mapping[str, str]) -> None:
    """Copy the products of a build with their times, and have them name new places."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    map_paths(target, places)


def same_time(folder: str) -> None:
    """Give all files one time, so that none is newer than what is made of it."""
    now = time.time_ns()
    for path in files(folder):
        os.utime(path, ns=(now, now), follow_symlinks=False)


def settle(folder: str) -> bool:
    """Bring a folder of builds up to date with where it lies. True if it had been moved.

    If the times were lost, which a plain cp does, all files get the same one. What changed
    since the build is found by its content, and written anew, afterwards.
    """
    stamp = os.path.join(folder, STAMP)
    try:
        with open(stamp, encoding='utf-8') as f:
            was = json.load(f)
        kept_times = os.stat(stamp).st_mtime_ns == was['time']
    except (FileNotFoundError, ValueError, KeyError):
        was, kept_times = {'place': folder}, True
    moved = bool(was['place'] != folder)
    if moved:
        map_paths(folder, {was['place']: folder})
        if not kept_times:
            same_time(folder)
    if moved or not os.path.exists(stamp):
        mark(folder)
    return moved


def mark(folder: str) -> None:
    """Write down where a folder lies."""
    stamp, now = os.path.join(folder, STAMP), time.time_ns()
    write_if_changed(stamp, json.dumps({'place': folder, 'time': now}).encode())
    os.utime(stamp, ns=(now, now))
