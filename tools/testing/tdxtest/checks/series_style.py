# SPDX-License-Identifier: GPL-2.0-only
"""checkpatch.pl finds nothing unexcused in any patch, and each has maintainers.

New files need no entry of their own in MAINTAINERS: the entries for their folders cover them.
"""

import os
import tempfile
from collections.abc import Iterator

from tdxtest.base import command
from tdxtest.base.checking import When
from tdxtest.checks.series_applies import AUTHOR
from tdxtest.guest.stages import Built
from tdxtest.tree import checkpatch, patchset

NAME = 'patch series, style'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='series-') as folder:
        paths = patchset.make(built.work, folder, AUTHOR)
        for line in checkpatch.complaints(built.work, paths[1:], set(), signed=True):
            yield os.path.basename(line.split(': ')[0]) + line[line.index(': '):]
        for path in built.progress.each('maintainers', paths[1:], os.path.basename):
            said = command.output(['perl', 'scripts/get_maintainer.pl', '--nogit',
                                   '--nogit-fallback', path], cwd=built.work.tree)
            if '(maintainer:' not in said:
                yield f'{os.path.basename(path)}: MAINTAINERS has no maintainer for it'
