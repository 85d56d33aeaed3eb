# SPDX-License-Identifier: GPL-2.0-only
"""The tool's own tests pass."""

import io
import os
import unittest
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import HERE
from tdxtest.base.progress import Progress

NAME = 'unit tests'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    out = io.StringIO()
    suite = unittest.defaultTestLoader.discover(os.path.join(HERE, 'tests'), pattern='*_test.py',
                                                top_level_dir=os.path.dirname(HERE))
    result = unittest.TextTestRunner(stream=out, verbosity=0).run(suite)
    if not result.testsRun:
        yield 'unit tests: none was found'
    for test, trace in result.failures + result.errors:
        yield f'{test.id()}: {trace.strip().splitlines()[-1]}'
