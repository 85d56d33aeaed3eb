# SPDX-License-Identifier: GPL-2.0-only
"""Every Python file compiles. No byte code is written."""

import ast
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of

NAME = 'Python syntax'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        if name.endswith('.py'):
            try:
                ast.parse(text_of(name), name)
            except SyntaxError as e:
                yield f'{name}:{e.lineno}: {e.msg}'
