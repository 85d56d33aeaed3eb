# SPDX-License-Identifier: GPL-2.0-only
"""No ten lines of code stand in two places, except for those with a reason."""

import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.c_source import COMMENT, blank
from tdxtest.tree.project import files, text_of

NAME = 'repeated lines'
WHEN = When.STATIC
LINES = 10
SUFFIXES = ('.c', '.h', '.S', '.def', '.py', '.sh')
# Lines that any two files have in common and that no function could take: blank ones,
# comments, what is included or imported, and ends of blocks.
COMMON = re.compile(r'\s*(#.*|(from|import)\b.*|[{}()\[\],;\s\\]*)')
# {(file, file that has the same lines, in alphabetical order): why}
EXCUSED: dict[tuple[str, str], str] = {}

# The lines of code of a file: [(line number, text)].
Code = list[tuple[int, str]]


def code_of(name: str, text: str) -> Code:
    if not name.endswith(('.py', '.sh')):
        text = blank(text, COMMENT)
    return [(number, ' '.join(line.split())) for number, line in enumerate(text.splitlines(), 1)
            if not COMMON.fullmatch(line)]


def repeats(texts: dict[str, str], count: int = LINES) -> Iterator[tuple[str, int, str, int]]:
    """(file, line, earlier file, line there) where a run of `count` lines begins again.

    Of a longer run only the beginning is told.
    """
    seen: dict[tuple[str, ...], tuple[str, int, int]] = {}
    for name, text in texts.items():
        code = code_of(name, text)
        within: tuple[str, int] | None = None
        for start in range(len(code) - count + 1):
            run = tuple(line for _, line in code[start:start + count])
            first = seen.setdefault(run, (name, start, code[start][0]))
            if first[:2] == (name, start) or first[0] == name and first[1] + count > start:
                within = None
                continue
            if within != (first[0], first[1] - 1):
                yield name, code[start][0], first[0], first[2]
            within = first[:2]


def wrong(texts: dict[str, str], excused: dict[tuple[str, str], str]) -> Iterator[str]:
    """Repeats without an excuse, and excuses without a repeat."""
    needed = set()
    for name, line, other, there in repeats(texts):
        pair = (min(name, other), max(name, other))
        needed.add(pair)
        if pair not in excused:
            yield f'{name}:{line}: has {LINES} lines or more of {other}:{there}'
    for pair in excused:
        if pair not in needed:
            yield (f'checks/repeated_lines.py: excuses {pair[0]} and {pair[1]}, '
                   'which repeat nothing; drop it')


def check(_progress: Progress) -> Iterator[str]:
    yield from wrong({name: text_of(name) for name in files() if name.endswith(SUFFIXES)}, EXCUSED)
