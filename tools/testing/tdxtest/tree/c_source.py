# SPDX-License-Identifier: GPL-2.0-only
"""What a file of C or assembly defines and uses, as far as its text tells.

The text must have kernel style. The head of a function begins in the first column, and
so do its opening and its closing brace.
"""

import dataclasses
import re
from collections.abc import Iterator

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.DOTALL)
# Comments and strings. Where they overlap, the first one to begin matches.
BLANKED = re.compile(COMMENT.pattern + r'|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", re.DOTALL)
# A macro that makes a function has the whole of its call as the name.
MACRO = re.compile(r'[A-Z][A-Z0-9_]*\([^()]*\)')
NAME = re.compile(r'(\w+)\s*\(')
WORD = re.compile(r'[A-Za-z_]\w*')
ATTRIBUTE = re.compile(r'__\w+\([^()]*\)')
PROTOTYPE = re.compile(r'^[A-Za-z_][^\n;{}#]*\([^;{}#]*\)[^;{}()#]*;', re.MULTILINE)
INCLUDE = re.compile(r'^#include "([^"\n]+)"', re.MULTILINE)
SYMBOL = re.compile(r'^\s*(?:SYM_(?:FUNC|CODE|INNER)\w*START\w*\((\w+)\)|\.globa?l?\s+(\w+))',
                    re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Function:
    """first, last: its lines from 1, from the head to the brace that ends it."""

    name: str
    first: int
    last: int
    is_static: bool

    def __len__(self) -> int:
        return self.last - self.first + 1


def blank(text: str, pattern: re.Pattern[str] = BLANKED) -> str:
    """The text with spaces in place of comments and strings; lines stay where they are."""
    return pattern.sub(lambda match: re.sub(r'[^\n]', ' ', match[0]), text)


def head_name(head: str) -> str:
    """The name of the function with this head: TEST_F(a, b) for a macro, '' for no function."""
    macro = MACRO.match(head)
    if macro:
        return ' '.join(macro[0].split())
    # A name that begins like that of an attribute is the function's if there is no other.
    name = NAME.search(ATTRIBUTE.sub('', head)) or NAME.search(head)
    return name[1] if name else ''


def functions(text: str) -> Iterator[Function]:
    """The functions that C text defines, in their order."""
    lines = blank(text).splitlines()
    brace = 0
    for number, line in enumerate(lines, 1):
        if line.rstrip() == '{':
            brace = number
        elif line.startswith('}') and brace:
            first = brace - 1
            # What a head continues with is indented.
            while first > 1 and not lines[first - 1][:1].strip():
                first -= 1
            head = '\n'.join(lines[first - 1:brace - 1])
            name = head_name(head)
            if name:
                yield Function(name, first, number, head.startswith('static '))
            brace = 0


def includes(text: str) -> list[str]:
    """What a file includes by a name in quotes."""
    return INCLUDE.findall(blank(text, COMMENT))


def defined(path: str, text: str) -> set[str]:
    """The functions that files other than `path` can use: those of a header may be static."""
    found = {function.name for function in functions(text)
             if path.endswith('.h') or not function.is_static}
    if path.endswith('.S'):
        found.update(a or b for a, b in SYMBOL.findall(blank(text)))
    return found


def used(text: str) -> set[str]:
    """Every name in the text but those of prototypes, which use nothing."""
    return set(WORD.findall(PROTOTYPE.sub('', blank(text))))
