# SPDX-License-Identifier: GPL-2.0-only
"""A page of the documentation, Markdown or reStructuredText, as lines of a kind."""

import dataclasses
import os
import re
from collections.abc import Iterator

from tdxtest.tree import project

TEXT, TABLE, CODE = 'text', 'table', 'code'
SPANS = {'.md': re.compile(r'(?<!`)`([^`]+)`(?!`)'), '.rst': re.compile(r'``(.+?)``')}
# A simple table of reStructuredText has three: over its head, under it, and at its end.
RULE = re.compile(r'=+(?: +=+)+$')
RULES_OF_A_TABLE = 3


@dataclasses.dataclass(frozen=True)
class Line:
    """number: from 1; kind: TEXT, TABLE or CODE."""

    number: int
    kind: str
    text: str


@dataclasses.dataclass(frozen=True)
class Page:
    """name: relative to the project's top."""

    name: str
    lines: tuple[Line, ...]

    def suffix(self) -> str:
        return os.path.splitext(self.name)[1]

    def code(self) -> Iterator[tuple[int, str]]:
        """(line number, text) of each span and each line of code."""
        for line in self.lines:
            if line.kind == CODE:
                yield line.number, line.text.strip()
            else:
                for span in SPANS[self.suffix()].findall(line.text):
                    yield line.number, span


def parse(name: str, text: str) -> Page:
    """The Page of a file's text."""
    kinds = markdown if name.endswith('.md') else restructured
    rows = text.splitlines()
    return Page(name, tuple(Line(number, kind, row) for number, (kind, row)
                            in enumerate(zip(kinds(rows), rows), 1)))


def load() -> Iterator[Page]:
    """The pages of the project."""
    for name in project.files():
        if name.endswith(tuple(SPANS)):
            yield parse(name, project.text_of(name))


def line_of(text: str, offset: int) -> int:
    """The number of the line that has the character at the offset."""
    return text.count('\n', 0, offset) + 1


def markdown(rows: list[str]) -> Iterator[str]:
    """The kind of each line. Code is indented by four, or between fences."""
    fenced, code, before = False, False, ''
    for row in rows:
        fence = row.startswith('```')
        fenced ^= fence
        if row.strip():
            # Below text it goes on with a list.
            code = row.startswith('    ') and (code or not before.strip())
        yield CODE if fence or fenced or code else TABLE if row.startswith('|') else TEXT
        before = row


def restructured(rows: list[str]) -> Iterator[str]:
    """The kind of each line. Code is indented below a line that ends with "::"."""
    rules, literal, in_code = 0, False, False
    for row in rows:
        if RULE.match(row):
            rules = (rules + 1) % RULES_OF_A_TABLE
            yield TABLE
            continue
        if row.strip():
            in_code = literal and row[0].isspace()
            if not in_code:
                literal = row.endswith('::') and not row.startswith('..')
        yield TABLE if rules else CODE if in_code and row.strip() else TEXT
