# SPDX-License-Identifier: GPL-2.0-only
"""Every mutant is killed, or says why it cannot be."""

from collections.abc import Iterator, Sequence

from tdxtest.base.checking import When
from tdxtest.commands import mutate
from tdxtest.guest.stages import Built
from tdxtest.verdict import mutants

NAME = 'mutants'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    yield from check_chosen(built, mutants.chosen([]))


def check_chosen(built: Built, chosen: Sequence[mutants.Mutant]) -> Iterator[str]:
    """Each of the mutants is killed on the kernel that it needs, or says why it cannot be."""
    for verdict in mutate.try_all(built, chosen).values():
        if verdict.kind not in mutate.GOOD:
            yield f'mutants/{verdict.mutant.name}: {verdict.kind}: ' + '; '.join(verdict.problems)
