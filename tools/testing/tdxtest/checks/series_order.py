# SPDX-License-Identifier: GPL-2.0-only
"""No patch of the series, or of its parts, includes a file that comes with a later one."""

import os
import re
from collections.abc import Iterable, Iterator

from tdxtest.base import contents
from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.base.progress import Progress
from tdxtest.tree import parts, patchset, series, source, work_tree
from tdxtest.tree.patchset import Step

NAME = 'patch series, order of includes'
WHEN = When.STATIC
INCLUDE = re.compile(r'^#include "(\S+)"', re.MULTILINE)
# Folders that a path in quotes begins at, beside that of the file that has it.
FOLDERS = ('tools/testing/selftests/kvm/include', 'tools/testing/selftests/kvm/include/x86',
           'arch/x86/virt/vmx/tdx/sim')


def included(path: str, text: str, files: Iterable[str]) -> Iterator[str]:
    """Those of `files` that the text of the file `path` includes."""
    for name in INCLUDE.findall(text):
        near = (os.path.dirname(path), *FOLDERS)
        found = (os.path.normpath(os.path.join(folder, name)) for folder in near)
        yield from [file for file in found if file in files][:1]


def too_early(steps: Iterable[Step], overlay: Iterable[str],
              texts: dict[str, str]) -> Iterator[str]:
    """A line for each include of a file that comes with a later step.

    overlay: all files that come; texts: {path: content} of those that can include.
    """
    present: set[str] = set()
    for step in steps:
        present.update(step.files)
        for path in step.files:
            for file in included(path, texts.get(path, ''), overlay):
                if file not in present:
                    yield (f'{step.subject}: {path} includes {os.path.basename(file)}, which a '
                           'later patch adds')


def check(_progress: Progress) -> Iterator[str]:
    overlay = set(work_tree.overlay_files())
    texts = {path: contents.content(os.path.join(PROJECT, path)).decode()
             for path in overlay if path.endswith(('.c', '.h', '.S', '.def'))}
    for name in source.PROVEN:
        version = series.parse_version(name)
        steps, _ = patchset.plan(version)
        yield from (f'{name}: {line}' for line in too_early(steps, overlay, texts))
        pieces = parts.Cutter(version).pieces()
        yield from (f'{name}, parts: {line}' for line in too_early(
            [step for piece in pieces for step in piece.steps], overlay, texts))
