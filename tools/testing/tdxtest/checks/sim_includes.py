# SPDX-License-Identifier: GPL-2.0-only
"""No file of the simulated module includes a header of a layer above its own."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of
from tdxtest.verdict import sim_layers

NAME = 'layers of the module, by includes'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    folder = f'{sim_layers.SIM}/'
    texts = {path.removeprefix(folder): text_of(path) for path in files()
             if path.startswith(folder) and path.endswith(('.c', '.S', '.h'))}
    yield from sim_layers.upward_includes(text_of(sim_layers.MAKEFILE), texts)
