# SPDX-License-Identifier: GPL-2.0-only
"""No object of the simulated module uses a symbol of a layer above its own.

The objects are those of the kernel with the KUnit tests, which has all of them.
"""

import os
from collections.abc import Iterator

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.guest.stages import Built
from tdxtest.tree.project import files, text_of
from tdxtest.verdict import sim_layers

NAME = 'layers of the module, by symbols'
WHEN = When.BOOT
AFTER = 'kunit_tests'


def check(built: Built) -> Iterator[str]:
    makefile = text_of(sim_layers.MAKEFILE)
    folder = os.path.join(built.kernel.out, sim_layers.SIM)
    listings = {}
    for name in sim_layers.order(makefile):
        path = os.path.join(folder, f'{name}.o')
        if os.path.exists(path):
            listings[name] = command.output(['nm', '-P', path])
    yield from sim_layers.upward_calls(makefile, listings)
    headers = {path.removeprefix(f'{sim_layers.SIM}/'): text_of(path) for path in files()
               if path.startswith(f'{sim_layers.SIM}/') and path.endswith('.h')}
    yield from sim_layers.foreign_declarations(headers, listings)
