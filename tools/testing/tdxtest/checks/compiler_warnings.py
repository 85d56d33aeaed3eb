# SPDX-License-Identifier: GPL-2.0-only
"""This machine's compiler finds nothing in the project's own C, with strict warnings."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest.stages import Built
from tdxtest.kvm import diagnostics
from tdxtest.tree import suite

NAME = 'compiler warnings'
WHEN = When.BOOT


def check(built: Built) -> Iterator[str]:
    units = [*diagnostics.suite_units(built.suite), *diagnostics.sim_units(built.kernel),
             *diagnostics.guest_units(built.suite, built.kernel)]
    compiled = {unit.source for unit in units}
    for source in sorted(diagnostics.own_sources(suite.FOLDER) - compiled):
        yield f'{source}: nothing compiles it'
    yield from diagnostics.compile_all(units)
