# SPDX-License-Identifier: GPL-2.0-only
"""The functions that the compiler put into one place of a module, and their source lines."""

import re
from collections.abc import Iterable

from tdxtest.base import command

# Of objdump -t: value, flags, section, size, name.
SYMBOL = re.compile(r'([0-9a-f]+) .{7} (\S+)\t[0-9a-f]+\s+(?:\.hidden )?(\S+)')
UNKNOWN = '?'
# (function, "file:line")
Place = tuple[str, str]


def place_of(name: str, symbols: str) -> tuple[str, int] | None:
    """(section, address in it) of a function in what objdump -t prints, None without one."""
    for line in symbols.splitlines():
        match = SYMBOL.fullmatch(line)
        if match and match[3] == name:
            return match[2], int(match[1], 16)
    return None


def short(path: str, roots: Iterable[str]) -> str:
    """A "file:line" below one of the roots as the kernel names it."""
    path = path.partition(' (discriminator')[0]
    root = next((root for root in roots if path.startswith(f'{root}/')), '')
    return path[len(root) + 1:] if root else path


def chain(module: str, name: str, offset: int, roots: Iterable[str]) -> list[Place]:
    """What is at an offset in a function of a module, the innermost inlined function first.

    roots: folders that the sources were compiled in. [] if the module does not have the
    function, or nothing for a debugger on it.
    """
    found = place_of(name, command.output(['objdump', '-t', module]))
    if not found:
        return []
    section, address = found
    lines = command.output(['addr2line', '-f', '-i', '-j', section, '-e', module,
                            f'{address + offset:#x}']).splitlines()
    pairs = list(zip(lines[::2], lines[1::2]))
    if any(UNKNOWN in place for _, place in pairs):
        return []
    return [(function, short(place, roots)) for function, place in pairs]
