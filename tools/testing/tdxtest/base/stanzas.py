# SPDX-License-Identifier: GPL-2.0-only
"""Files of stanzas: a name, what it is, and a line for each thing that belongs to it.

    name
            Text, on as many lines as it takes.
            - item
            - item

Text and items begin with a tab.  A blank line ends a stanza, and a line that begins
with # is a comment.
"""

import dataclasses

from tdxtest.base.failure import Failure


@dataclasses.dataclass
class Stanza:
    """name: one word; line: its number in the file; items: [(line number, item)]."""

    name: str
    line: int
    text: str = ''
    items: list[tuple[int, str]] = dataclasses.field(default_factory=list)

    def add(self, number: int, words: str) -> str:
        """Take an indented line; gives what is wrong with it, '' if nothing."""
        if words.startswith('- '):
            if not self.text:
                return f'{self.name}: has an item before its text'
            self.items.append((number, words[2:].strip()))
        elif self.items:
            return f'{self.name}: wanted "- " and an item, got {words!r}'
        else:
            self.text = f'{self.text} {words}'.lstrip()
        return ''


def parse(text: str, where: str) -> list[Stanza]:
    """The stanzas of a file's text. Failure names the line of `where` that is wrong."""
    found: list[Stanza] = []
    within = False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        wrong = ''
        if line.startswith('#') or not words:
            within = False
        elif line.startswith('\t'):
            wrong = (found[-1].add(number, words) if within else
                     f'belongs to no stanza: {words!r}')
        elif within or len(words.split()) > 1:
            wrong = f'wanted a name and a blank line before it, got {line!r}'
        else:
            found.append(Stanza(words, number))
            within = True
        if wrong:
            raise Failure(f'{where}:{number}: {wrong}')
    for stanza in found:
        if not stanza.items:
            raise Failure(f'{where}:{stanza.line}: {stanza.name}: wanted a text and items, '
                          f'got {"a text only" if stanza.text else "neither"}')
    return found
