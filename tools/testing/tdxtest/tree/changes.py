# SPDX-License-Identifier: GPL-2.0-only
"""What a change of a C file moves and touches: lines, and functions."""

import difflib

from tdxtest.tree import c_source


def _lines(data: bytes | None) -> list[str]:
    return (data or b'').decode(errors='replace').splitlines()


def lines_before(before: bytes | None, after: bytes | None) -> dict[int, int]:
    """{line after: line before} of the lines that a change leaves alone, from 1."""
    matcher = difflib.SequenceMatcher(None, _lines(before), _lines(after), autojunk=False)
    return {block.b + offset + 1: block.a + offset + 1
            for block in matcher.get_matching_blocks() for offset in range(block.size)}


def changed_functions(before: bytes | None, after: bytes | None) -> set[str]:
    """The functions of the changed file in which a line is new, or where one was taken out."""
    new = _lines(after)
    kept = lines_before(before, after)
    touched = {number for number in range(1, len(new) + 1) if number not in kept}
    # A line that was taken out touches the lines on both of its sides.
    for number in range(2, len(new) + 1):
        if number in kept and number - 1 in kept and kept[number] != kept[number - 1] + 1:
            touched.update((number - 1, number))
    return {function.name for function in c_source.functions('\n'.join(new) + '\n')
            if not touched.isdisjoint(range(function.first, function.last + 1))}
