# SPDX-License-Identifier: GPL-2.0-only
"""No file names a path of the machine that it was written on."""

import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of

NAME = 'machine paths'
WHEN = When.STATIC
# The brackets keep this line from matching itself.
MACHINE_PATH = re.compile(r'(?<![\w.])[/](?:work|root|home)/')


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        for number, line in enumerate(text_of(name).splitlines(), 1):
            if MACHINE_PATH.search(line):
                yield f'{name}:{number}: names a path of one machine: {line.strip()}'
