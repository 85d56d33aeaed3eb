# SPDX-License-Identifier: GPL-2.0-only
"""Kernel trees that have moved on, made of a packaged source by the patches of tests/trees/.

Above its diff a patch has fields that say how a run on such a tree must end:

    Seen: lay | suite | config | kernel   the stage at which its end is seen
    Library: tree | packaged              the selftest library that the suite is built with
    Says: REGEX                           a line that the tool, or the kernel, must print
    Fails: REGEX                          the one line that the run must end with
"""

import dataclasses
import os
import re
import shutil
from collections.abc import Iterable, Iterator

from tdxtest.base import command
from tdxtest.base.failure import Failure
from tdxtest.base.paths import PROJECT, TREES
from tdxtest.tree import series, source, work_tree
from tdxtest.tree.work_tree import WorkTree

# From the least that is built to the most.
STAGES = LAY, SUITE, CONFIG, KERNEL = ('lay', 'suite', 'config', 'kernel')
LIBRARIES = ('tree', 'packaged')
FIELD = re.compile(r'^(Seen|Library|Says|Fails): (.*)$', re.MULTILINE)
CHANGED = re.compile(r'^diff --git a/(\S+) b/(\S+)$', re.MULTILINE)
# What a tree must have so that the suite can be built and the kernel configured.
FOLDERS = ('arch/x86', 'include', 'scripts', 'tools/arch/x86', 'tools/build', 'tools/include',
           'tools/lib', 'tools/scripts', 'tools/testing/selftests/cgroup',
           'tools/testing/selftests/kvm', 'tools/testing/selftests/vfio', 'usr')
SELFTESTS, ENDINGS = 'tools/testing/selftests/', ('.h', '.mk')
NAMES = ('Kconfig', 'Kbuild', 'Makefile')


@dataclasses.dataclass(frozen=True)
class Made:
    """One patch. says, fails: regular expressions; fails is '' for a run that passes."""

    name: str
    path: str
    seen: str
    library: str
    says: tuple[str, ...]
    fails: str

    def touches(self) -> list[str]:
        """The files that it changes, by their old and new names."""
        with open(self.path, encoding='utf-8') as f:
            return sorted({name for pair in CHANGED.findall(f.read()) for name in pair})


def parse(path: str) -> Made:
    """The patch of a file. Failure for fields that it cannot have."""
    name = os.path.basename(path).removesuffix('.patch')
    with open(path, encoding='utf-8') as f:
        fields = FIELD.findall(f.read().partition('\n---\n')[0])
    of: dict[str, list[str]] = {key: [] for key in ('Seen', 'Library', 'Says', 'Fails')}
    for key, value in fields:
        of[key].append(value)
    if len(of['Seen']) != 1 or of['Seen'][0] not in STAGES:
        raise Failure(f'{name}: wanted Seen: {" or ".join(STAGES)}, got {of["Seen"]}')
    if len(of['Library']) != 1 or of['Library'][0] not in LIBRARIES:
        raise Failure(f'{name}: wanted Library: {" or ".join(LIBRARIES)}, got {of["Library"]}')
    if of['Fails'][1:]:
        raise Failure(f'{name}: wanted one Fails:, got {len(of["Fails"])}')
    return Made(name, path, of['Seen'][0], of['Library'][0], tuple(of['Says']),
                ''.join(of['Fails']))


def load(folder: str = TREES) -> list[Made]:
    """All patches, by name."""
    return [parse(os.path.join(folder, name)) for name in sorted(os.listdir(folder))
            if name.endswith('.patch')]


class Maker:
    """Makes the trees, one after the other, in one folder.

    work: of the packaged kernel that they are made of, laid. A tree has only the files
    that the stages need which are asked for.
    """

    def __init__(self, work: WorkTree, folder: str, log: str) -> None:
        self.work = work
        self.folder = folder
        self.log = log
        self._changed: list[str] = []

    def begin(self, stages: Iterable[str]) -> None:
        """Fill the folder with files of the kernel as it was packaged."""
        shutil.rmtree(self.folder, ignore_errors=True)
        paths = {*source.MARKERS, *self._patched()}
        if set(stages) - {LAY}:
            paths.update(self._built())
        for path in paths:
            self._give(path)

    def make(self, made: Made) -> source.Source:
        """The tree of a patch. What the last one changed is as it was before."""
        for path in (*self._changed, *made.touches()):
            self._give(path)
        self._changed = made.touches()
        command.run(['git', 'apply', made.path], self.log, cwd=self.folder, what=made.name,
                    env={'GIT_CEILING_DIRECTORIES': os.path.dirname(
                        os.path.realpath(self.folder))})
        return source.from_kdir(self.folder)

    def _give(self, path: str) -> None:
        target = os.path.join(self.folder, path)
        if os.path.lexists(target):
            os.unlink(target)
        data = self.work.pristine(path)
        if data is None:
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # The file that a link leads to may lie outside of the folders.
        with open(target, 'wb') as f:
            f.write(data)
        shutil.copystat(os.path.join(self.work.tree, path), target)

    def _patched(self) -> Iterator[str]:
        for patch in self.work.patches():
            with open(os.path.join(PROJECT, 'patches', patch.file), encoding='utf-8') as f:
                yield from series.touched(f.read())

    def _built(self) -> Iterator[str]:
        """What a build of the suite and a configuration read."""
        own = set(work_tree.overlay_files())
        for folder, _, names in os.walk(self.work.tree):
            base = os.path.relpath(folder, self.work.tree)
            base = '' if base == '.' else base + '/'
            whole = base.startswith(tuple(f'{top}/' for top in FOLDERS))
            selftests = base.startswith(SELFTESTS)
            for name in names:
                if base + name not in own and (whole or name.startswith(NAMES) or
                                               selftests and name.endswith(ENDINGS)):
                    yield base + name
