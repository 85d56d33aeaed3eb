# SPDX-License-Identifier: GPL-2.0-only
"""A module of the tool imports from its own layer and from those below it only.

tests/ and the files that start the program may import anything. A command finds the checks by
listing their folder, not by an import.
"""

import ast
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of

NAME = 'layers of the tool'
WHEN = When.STATIC
# From below to above.
LAYERS = ('base', 'tree', 'kvm', 'verdict', 'guest', 'commands', 'checks')
# Not in a layer: what starts the program.
STARTS = ('', 'program', '__main__', 'tdxtest')
FOLDER = 'tools/testing/tdxtest/'
PACKAGE = 'tdxtest'


def module_of(path: str) -> str:
    """The module of a file below FOLDER, named from there: "base.command"."""
    return path.removeprefix(FOLDER).removesuffix('.py').replace('/', '.').removesuffix(
        '__init__').removesuffix('.')


def imports(text: str, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line number, module) for each module of the tool that a file's text imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, '.' * node.level
                continue
            names = [f'{node.module}.{alias.name}' for alias in node.names]
        else:
            continue
        for name in names:
            if name.split('.')[0] != PACKAGE:
                continue
            own = name.removeprefix(PACKAGE).lstrip('.')
            while own and own not in known:
                own = own.rpartition('.')[0]
            yield node.lineno, own


def layer(module: str) -> str:
    return module.split('.')[0]


def upward(path: str, found: list[tuple[int, str]]) -> Iterator[str]:
    """A line for each import of a file that goes up, or out of the layers."""
    own = layer(module_of(path))
    for line, module in found:
        where = f'{path}:{line}: imports {module or PACKAGE}'
        if layer(module) not in LAYERS:
            yield f'{where}, which is in no layer'
        elif LAYERS.index(layer(module)) > LAYERS.index(own):
            yield f'{where}, and {own}/ is below {layer(module)}/'


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of a circle of imports, the first one again at the end; [] for none."""
    done: set[str] = set()

    def walk(module: str, above: list[str]) -> list[str]:
        if module in above:
            return [*above[above.index(module):], module]
        if module in done:
            return []
        for other in sorted(graph.get(module, ())):
            if found := walk(other, [*above, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := walk(module, []))), [])


def wrong_imports(texts: dict[str, str]) -> Iterator[str]:
    """Lines that are wrong. texts: {path: content} of the tool's files."""
    known = {module_of(path) for path in texts}
    graph = {}
    for path, text in texts.items():
        own = module_of(path)
        if own in STARTS or layer(own) == 'tests':
            continue
        if layer(own) not in LAYERS:
            yield f'{path}: is in no layer; there are {", ".join(LAYERS)}'
            continue
        found = list(imports(text, known))
        yield from upward(path, found)
        graph[own] = {module for _, module in found} - {own}
    if modules := circle(graph):
        yield f'{FOLDER}: import each other: {" -> ".join(modules)}'


def check(_progress: Progress) -> Iterator[str]:
    yield from wrong_imports({name: text_of(name) for name in files()
                              if name.startswith(FOLDER) and name.endswith('.py')})
