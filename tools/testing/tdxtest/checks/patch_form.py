# SPDX-License-Identifier: GPL-2.0-only
"""A patch is what git format-patch writes, and creates no file."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree import series
from tdxtest.tree.project import files, text_of

NAME = 'patches'
WHEN = When.STATIC
# Patches that stay in the project.
NOT_SENT = ('mutants/', 'tools/testing/tdxtest/tests/')


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        if not name.endswith('.patch') or name.startswith(NOT_SENT):
            continue
        text = text_of(name)
        for wanted in ('From ', 'Subject: [PATCH', '\n---\n', '\ndiff --git '):
            if wanted not in text:
                yield f'{name}: wanted the form of git format-patch, found no {wanted.strip()!r}'
        for path, creates in series.touched(text).items():
            if creates:
                yield f'{name}: creates {path}; new files belong into the overlay'
