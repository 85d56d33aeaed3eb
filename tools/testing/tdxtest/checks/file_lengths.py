# SPDX-License-Identifier: GPL-2.0-only
"""No file is longer than a person reads at once."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of

NAME = 'file lengths'
WHEN = When.STATIC
MAX_LINES = 500
# Data that is as long as it is.
LONG_FILES = ('LICENSE', 'Documentation/arch/x86/tdx-sim-leafs.rst')


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        lines = text_of(name).count('\n')
        if lines > MAX_LINES and name not in LONG_FILES:
            yield f'{name}: {lines} lines, wanted at most {MAX_LINES}'
