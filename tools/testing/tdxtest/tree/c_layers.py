# SPDX-License-Identifier: GPL-2.0-only
"""Which file of a tree of C uses which: layers in order, and circles among the files.

A unit is a header with what defines its functions: the files of one stem.
"""

import dataclasses
import os
from collections.abc import Iterator

from tdxtest.tree import c_source

C_SUFFIXES = ('.c', '.h', '.S', '.def')


@dataclasses.dataclass(frozen=True)
class Tree:
    """top: a folder of the project; layers: ((prefix of a path below top, ...), ...).

    A file of a layer uses only its own layer and those before it. An empty prefix is
    for the files of `top` itself.
    """

    top: str
    layers: tuple[tuple[str, ...], ...]

    def layer(self, path: str) -> int | None:
        """The number of a path's layer, None without one."""
        below = os.path.relpath(path, self.top)
        for number, prefixes in enumerate(self.layers):
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


def check_layers(tree: Tree, uses: Uses) -> Iterator[str]:
    """Each file has a layer, and neither includes nor calls what a later layer has."""
    layer_of_unit: dict[str, int] = {}
    layer_of_name: dict[str, int] = {}
    for path in uses.texts:
        layer = tree.layer(path)
        if layer is None:
            yield f'{path}: is in no layer of {tree.top}'
            continue
        layer_of_unit[stem(path)] = max(layer, layer_of_unit.get(stem(path), 0))
        layer_of_name[os.path.basename(path)] = layer
    for path, text in uses.texts.items():
        own = tree.layer(path)
        if own is None:
            continue
        for name in c_source.includes(text):
            if layer_of_name.get(os.path.basename(name), 0) > own:
                yield f'{path}: includes {name} of a layer above its own'
    for unit, row in uses.of.items():
        for other, names in row.items():
            if layer_of_unit.get(other, 0) > layer_of_unit.get(unit, 0):
                yield f'{unit}: uses {names[0]}() of {other}, a layer above its own'


def check_circles(tree: Tree, uses: Uses) -> Iterator[str]:
    """No two units use each other."""
    for circle in uses.circles():
        arrows = [f'{unit} uses {names[0]}() of {other}' for unit in circle
                  for other, names in uses.of[unit].items() if other in circle]
        yield f'{tree.top}: a circle of {len(circle)} stems: ' + '; '.join(arrows)
