# SPDX-License-Identifier: GPL-2.0-only
"""mypy finds nothing in the tool. The file mypy.ini says what it asks for."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import HERE
from tdxtest.base.progress import Progress
from tdxtest.checks.lint import PACKAGE, messages

NAME = 'mypy'
WHEN = When.STATIC
CONFIG = os.path.join(HERE, 'mypy.ini')


def check(_progress: Progress) -> Iterator[str]:
    yield from messages(['mypy', '--config-file', CONFIG, '--no-error-summary', '-p', PACKAGE])
