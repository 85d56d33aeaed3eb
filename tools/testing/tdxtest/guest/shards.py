# SPDX-License-Identifier: GPL-2.0-only
"""Splits the chosen tests over guests that run side by side.

An emulator uses one CPU of the machine, whatever the number of its own.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from tdxtest.base.failure import UsageError
from tdxtest.tree import td_tests
from tdxtest.tree.suite import Tests


def jobs(asked: int | None) -> int:
    """How many guests may run at once; None asks for one per CPU of the machine."""
    if asked is None:
        return os.cpu_count() or 1
    if asked < 1:
        raise UsageError(f'JOBS={asked}: wanted a number of guests, 1 or more')
    return asked


# Which part of a run: its number from 1, and how many there are.
Shard = tuple[int, int]
WHOLE: Shard = (1, 1)


def parse_shard(text: str) -> Shard:
    """The Shard of a text such as "1/4", '' for the whole. UsageError for any other."""
    if not text:
        return WHOLE
    match = re.fullmatch(r'([1-9]\d*)/([1-9]\d*)', text)
    if not match or int(match[1]) > int(match[2]):
        raise UsageError(f'--shard {text}: wanted the number of a part and how many there are, '
                         'such as 1/4')
    return int(match[1]), int(match[2])


def part(tests: Tests, cases: Callable[[str], Sequence[str]], shard: Shard) -> Tests:
    """The tests of one part of a run. Together the parts have each case once."""
    number, count = shard
    if count == 1:
        return tests
    parts = split(tests, cases, count)
    if number > len(parts):
        raise UsageError(f'--shard {number}/{count}: the tests have {len(parts)} case(s) only')
    return parts[number - 1]


def chosen(args: Iterable[str]) -> list[str]:
    """The case ids in the arguments that Suite.select() gives a test."""
    return [word for word in args if word != '-r']


def joined(tests: Tests) -> list[tuple[str, list[str]]]:
    """The tests, each name once with the cases of all its entries."""
    found: dict[str, list[str]] = {}
    for name, args in tests:
        # No arguments stand for all cases.
        whole = not args or (name in found and not found[name])
        found[name] = [] if whole else found.get(name, []) + list(args)
    return list(found.items())


def failed_first(tests: Tests, failed: Collection[str]) -> Tests:
    """The tests, those in `failed` before the others.

    After a fix, a person wants to see these first.
    """
    return sorted(tests, key=lambda test: test[0] not in failed)


def kinship(case: str) -> tuple[str, str, list[str]]:
    """Sorts cases of "fixture.variant.test" that take about the same time together."""
    fixture, *variant, test = case.split('.')
    return fixture, test, variant


def split(tests: Tests, cases: Callable[[str], Sequence[str]], count: int) -> list[Tests]:
    """A list of tests for each of at most `count` guests, none of them empty.

    tests: [(name, [arguments])] as Suite.select() gives them; cases: a function
    that gives the case ids of a test, none if it cannot be split.
    """
    deck = []
    if count > 1:
        for name, args in tests:
            # A TD is booted once, whatever cases of it are wanted.
            if name in td_tests.NAMES:
                deck.append((name, list(args)))
                continue
            ids = chosen(args) or cases(name)
            deck += [(name, ['-r', case]) for case in sorted(ids, key=kinship)] or [(name, [])]
    count = min(count, len(deck))
    if count <= 1:
        return [tests]
    # Dealt like cards, each guest gets its share of the slow ones.
    shares: list[dict[str, list[str]]] = [{} for _ in range(count)]
    for turn, (name, words) in enumerate(deck):
        shares[turn % count].setdefault(name, []).extend(words)
    return [list(share.items()) for share in shares]
