# SPDX-License-Identifier: GPL-2.0-only
"""Each file names its licence."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of

NAME = 'SPDX lines'
WHEN = When.STATIC
# Licence text, transcripts, and patches carry none or their own.
NO_SPDX = ('LICENSE', 'tools/testing/tdxtest/tests/test_data/', 'patches/', 'mutants/',
           'findings/mail/', 'tools/testing/tdxtest/tests/trees/',
           'tools/testing/tdxtest/tests/history/')
SPDX = 'SPDX-License-Identifier: GPL-2.0'


def check(_progress: Progress) -> Iterator[str]:
    # The licence is on the first line, or the second under a #!.
    for name in files():
        if name.startswith(NO_SPDX):
            continue
        head = text_of(name).splitlines()[:2]
        line = head[1] if head and head[0].startswith('#!') and len(head) > 1 else ''.join(head[:1])
        if SPDX not in line:
            yield f'{name}:1: wanted an SPDX line, got {line[:60]!r}'
