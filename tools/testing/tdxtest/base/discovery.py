# SPDX-License-Identifier: GPL-2.0-only
"""Finds the modules of a folder, so that a new file needs no row in a list."""

import importlib
import os
import types

from tdxtest.base.paths import HERE


def modules(folder: str) -> dict[str, types.ModuleType]:
    """{name: module} of the files of a folder of the package, by name."""
    names = sorted(name[:-3] for name in os.listdir(os.path.join(HERE, folder))
                   if name.endswith('.py') and not name.startswith('_'))
    return {name: importlib.import_module(f'tdxtest.{folder}.{name}') for name in names}
