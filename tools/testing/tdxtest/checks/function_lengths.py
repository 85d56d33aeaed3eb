# SPDX-License-Identifier: GPL-2.0-only
"""No function is longer than a person keeps in mind, except for those with a reason."""

import ast
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree import c_source
from tdxtest.tree.project import files, text_of

NAME = 'function lengths'
WHEN = When.STATIC
MAX_LINES = 60
# {file:function: why it is longer}
EXCUSED: dict[str, str] = {
}


def lengths(name: str, text: str) -> Iterator[tuple[str, int, int]]:
    """(function, its first line, lines) of a file of C or Python."""
    if name.endswith(('.c', '.h')):
        yield from ((f.name, f.first, len(f)) for f in c_source.functions(text))
    elif name.endswith('.py'):
        for node in ast.walk(ast.parse(text, name)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def too_long(texts: dict[str, str], excused: dict[str, str]) -> Iterator[str]:
    """Long functions without an excuse, and excuses without a long function.

    texts: {file: what it holds}; excused: {file:function: reason}.
    """
    needed = set()
    for name, text in texts.items():
        for function, line, count in lengths(name, text):
            if count <= MAX_LINES:
                continue
            needed.add(f'{name}:{function}')
            if f'{name}:{function}' not in excused:
                yield f'{name}:{line}: {function} has {count} lines, wanted at most {MAX_LINES}'
    for key in excused:
        if key not in needed:
            yield f'checks/function_lengths.py: excuses {key}, which is not too long; drop it'


def check(_progress: Progress) -> Iterator[str]:
    yield from too_long({name: text_of(name) for name in files()
                         if name.endswith(('.c', '.h', '.py'))}, EXCUSED)
