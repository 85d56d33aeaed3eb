# SPDX-License-Identifier: GPL-2.0-only
"""No assertion tells of an errno that was set before the call that it asserts.

C lets a compiler evaluate the arguments of TEST_ASSERT() in any order, and GCC begins with
the last one. strerror(errno) then is that of an earlier failure. %m is read when the text
is made.
"""

import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree import c_source
from tdxtest.tree.project import files, text_of

NAME = 'errno in assertions'
WHEN = When.STATIC
FOLDER = 'tools/testing/selftests/kvm/'
ASSERTION = re.compile(r'\bTEST_ASSERT\(')
CALL = re.compile(r'\b(?!sizeof\b)\w+\(')
ERRNO = re.compile(r'\berrno\b')


def arguments(text: str, start: int) -> list[str]:
    """The arguments of a call; text: without strings; start: after its parenthesis."""
    depth, found = 0, ['']
    for char in text[start:]:
        if char == ')' and not depth:
            break
        if char == ',' and not depth:
            found.append('')
            continue
        depth += (char in '([{') - (char in ')]}')
        found[-1] += char
    return found


def stale(name: str, text: str) -> Iterator[str]:
    """A line for each assertion of a file of C that calls a function and passes errno."""
    text = c_source.blank(text)
    for match in ASSERTION.finditer(text):
        condition, *rest = arguments(text, match.end())
        if CALL.search(condition) and any(ERRNO.search(argument) for argument in rest):
            line = text.count('\n', 0, match.start()) + 1
            yield (f'{name}:{line}: TEST_ASSERT() makes a call and passes errno, which may be '
                   'older than the call: wanted %m')


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        if name.startswith(FOLDER) and name.endswith(('.c', '.h')):
            yield from stale(name, text_of(name))
