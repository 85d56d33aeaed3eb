# SPDX-License-Identifier: GPL-2.0-only
"""pylint finds nothing in the tool. The file pylintrc says which rules are off, and why."""

import os
import subprocess
from collections.abc import Iterator, Sequence

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.paths import HERE
from tdxtest.base.progress import Progress

NAME = 'pylint'
WHEN = When.STATIC
CONFIG = os.path.join(HERE, 'pylintrc')
PACKAGE = os.path.basename(HERE)
# The line above the messages of a module starts with this.
HEAD = '*'


def messages(argv: Sequence[str], cwd: str = os.path.dirname(HERE)) -> Iterator[str]:
    """The messages of a checker of Python, a line each; none if it found nothing."""
    try:
        done = subprocess.run(argv, cwd=cwd, env=command.environment(), text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError as e:
        raise Failure(f'{argv[0]} is not there; install it') from e
    found = [line for line in done.stdout.splitlines() if line and not line.startswith(HEAD)]
    if done.returncode and not found:
        found = [f'{argv[0]} ended with {done.returncode}: {command.telling(done.stderr)}']
    yield from found


def check(_progress: Progress) -> Iterator[str]:
    yield from messages(['pylint', '--rcfile', CONFIG, '--score=no', PACKAGE])
