# SPDX-License-Identifier: GPL-2.0-only
"""Which file of a tree of C uses which: rooms in order, and circles among the files.

A unit is a header with what defines its functions: the files of one stem.
"""

import dataclasses
import os
from collections.abc import Iterator

from tdxtest.tree import c_source

C_SUFFIXES = ('.c', '.h', '.S', '.def')


@dataclasses.dataclass(frozen=True)
class Tree:
    """top: a folder of the project; rooms: ((prefix of a path below top, ...), ...).

    A file of a room uses only its own room and those before it. An empty prefix is
    for the files of `top` itself.
    """

    top: str
    rooms: tuple[tuple[str, ...], ...]

    def room(self, path: str) -> int | None:
        """The number of a path's room, None without one."""
        below = os.path.relpath(path, self.top)
        for number, prefixes in enumerate(self.rooms):
            if any(below.startswith(p) if p else '/' not in below for p in prefixes):
                return number
        return None


def stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


class Uses:
    """{unit: {unit that it uses: [names]}} of the files of a tree.

    texts: {path: what it holds}. A table of rows, which is a .def file, is a part of
    every file that includes it.
    """

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self._tables = {os.path.basename(path): text for path, text in texts.items()
                        if path.endswith('.def')}
        self.of: dict[str, dict[str, list[str]]] = {}
        definers: dict[str, set[str]] = {}
        files = {path: text for path, text in texts.items() if not path.endswith('.def')}
        for path, text in files.items():
            for name in c_source.defined(path, text) - {'main'}:
                definers.setdefault(name, set()).add(stem(path))
        for path, text in files.items():
            row = self.of.setdefault(stem(path), {})
            for name in sorted(c_source.used(self._whole(text))):
                for unit in definers.get(name, set()) - {stem(path)}:
                    row.setdefault(unit, []).append(name)

    def _whole(self, text: str) -> str:
        """The text of a file with the rows that it includes."""
        return text + ''.join(self._tables.get(os.path.basename(name), '')
                              for name in c_source.includes(text))

    def circles(self) -> list[list[str]]:
        """Units that use each other, however indirectly: each circle in alphabetical order."""
        reached = {unit: self._reach(unit) for unit in self.of}
        found = []
        for unit in sorted(self.of):
            circle = sorted(other for other in reached[unit] if unit in reached.get(other, ()))
            if unit in circle and circle not in found:
                found.append(circle)
        return found

    def _reach(self, unit: str) -> set[str]:
        reached: set[str] = set()
        left = [unit]
        while left:
            for other in self.of.get(left.pop(), {}):
                if other not in reached:
                    reached.add(other)
                    left.append(other)
        return reached


def check_rooms(tree: Tree, uses: Uses) -> Iterator[str]:
    """Each file has a room, and neither includes nor calls what a later room has."""
    room_of_unit: dict[str, int] = {}
    room_of_name: dict[str, int] = {}
    for path in uses.texts:
        room = tree.room(path)
        if room is None:
            yield f'{path}: is in no room of {tree.top}'
            continue
        room_of_unit[stem(path)] = max(room, room_of_unit.get(stem(path), 0))
        room_of_name[os.path.basename(path)] = room
    for path, text in uses.texts.items():
        own = tree.room(path)
        if own is None:
            continue
        for name in c_source.includes(text):
            if room_of_name.get(os.path.basename(name), 0) > own:
                yield f'{path}: includes {name} of a room above its own'
    for unit, row in uses.of.items():
        for other, names in row.items():
            if room_of_unit.get(other, 0) > room_of_unit.get(unit, 0):
                yield f'{unit}: uses {names[0]}() of {other}, a room above its own'


def check_circles(tree: Tree, uses: Uses) -> Iterator[str]:
    """No two units use each other."""
    for circle in uses.circles():
        arrows = [f'{unit} uses {names[0]}() of {other}' for unit in circle
                  for other, names in uses.of[unit].items() if other in circle]
        yield f'{tree.top}: a circle of {len(circle)} stems: ' + '; '.join(arrows)
