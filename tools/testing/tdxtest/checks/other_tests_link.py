# SPDX-License-Identifier: GPL-2.0-only
"""Tests without TDX can be linked with the objects of the suite's library.

They are linked with all of it, but not with what the linker replaces for TDX tests
(tdx_libkvm.h), and not by its script (tdx_image.h).
"""

import os
from collections.abc import Iterator

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.tree.suite import Suite

NAME = 'library, linked with other tests'
WHEN = When.SUITE
FOLDER = 'lib/x86/tdx'
# What nm calls a symbol that must be defined elsewhere; a weak one need not be.
UNDEFINED = 'U'
# Symbols that the linker makes for TDX tests alone begin with one of these.
MADE = ('__real_', 'tdx_host_')


def needed(said: str) -> Iterator[str]:
    """A line for each symbol of what nm -A -u prints that no other test has."""
    for line in said.splitlines():
        path, _, row = line.partition(':')
        kind, symbol = row.split()[-2:]
        if kind == UNDEFINED and symbol.startswith(MADE):
            yield (f'{FOLDER}/{os.path.basename(path)}: needs {symbol}, which is not there '
                   'in other tests: declare it weak')


def check(suite: Suite) -> Iterator[str]:
    folder = os.path.join(suite.out, FOLDER)
    objects = sorted(name for name in os.listdir(folder) if name.endswith('.o'))
    yield from needed(command.output(['nm', '-A', '-u', *objects], cwd=folder))
