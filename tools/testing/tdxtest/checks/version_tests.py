# SPDX-License-Identifier: GPL-2.0-only
"""Differences between kernels live in patches/series, not in code."""

import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of
from tdxtest.tree.work_tree import OVERLAY

NAME = 'version tests'
WHEN = When.STATIC
# The only files where a kernel's version may decide, and this one, which names what it
# looks for.
VERSION_FILES = ('tools/testing/tdxtest/tree/series.py', 'tools/testing/tdxtest/tree/source.py',
                 'tools/testing/tdxtest/checks/version_tests.py')
VERSION_TEST = re.compile(r'\bLINUX_VERSION_CODE\b|\bKERNEL_VERSION\s*\(|\buname\s*\(')


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        if not name.startswith(OVERLAY) or name in VERSION_FILES:
            continue
        for number, line in enumerate(text_of(name).splitlines(), 1):
            if VERSION_TEST.search(line):
                yield f'{name}:{number}: asks for the kernel version: {line.strip()}'
