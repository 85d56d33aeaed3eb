# SPDX-License-Identifier: GPL-2.0-only
"""Each patch of the series leaves a tree that builds, and the tests of each part run."""

import concurrent.futures
import dataclasses
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.paths import PROJECT
from tdxtest.guest import runs
from tdxtest.guest.stages import Built
from tdxtest.tree import parts, patchset, series, suite, work_tree
from tdxtest.tree.work_tree import WorkTree

NAME = 'patch series, each patch builds'
WHEN = When.LONG
SIM = 'arch/x86/virt/vmx/tdx/sim'
SUITE = 'tools/testing/selftests/kvm'
# A test without TDX: it is linked with all of the library, TDX or not.
OTHER_TEST = 'x86/sev_smoke_test'
PROGRAMS = (*suite.names(), *suite.names(name=suite.EXTENDED_LIST))


def check(built: Built) -> Iterator[str]:
    version = built.work.source.key()
    steps, wrong = patchset.plan(version)
    yield from wrong
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='series-') as folder:
        yield from build_sim(built, steps, os.path.join(folder, 'sim'))
        yield from build_suite(built, steps, Replay(built, steps, os.path.join(folder, 'suite')))
        # The parts that can be posted have the same files in another order.
        pieces = [piece for piece in parts.Cutter(version).pieces() if piece.part.kind == 'suite']
        steps = [step for piece in pieces for step in piece.steps]
        replay = Replay(built, steps, os.path.join(folder, 'parts'))
        for piece in pieces:
            wrong = list(build_suite(built, piece.steps, replay)) or list(run(built, piece, replay))
            yield from (f'part {piece.name}: {line}' for line in wrong)


def sim_folder(work: WorkTree, folder: str) -> None:
    """A folder with what the simulation includes of its surroundings, by relative paths."""
    near = os.path.dirname(SIM)
    os.makedirs(os.path.join(folder, near))
    os.symlink(os.path.join(work.tree, 'arch/x86/kvm'), os.path.join(folder, 'arch/x86/kvm'))
    for name in os.listdir(os.path.join(work.tree, near)):
        if name != os.path.basename(SIM):
            os.symlink(os.path.join(work.tree, near, name), os.path.join(folder, near, name))


def build_sim(built: Built, steps: Iterable[patchset.Step], folder: str) -> Iterator[str]:
    """Objects of the simulation compile as soon as they are there.

    The directory joins the kernel's build as a whole, which make check builds.
    """
    sim_folder(built.work, folder)
    present: set[str] = set()
    steps = [step for step in steps if any(path.startswith(SIM) for path in step.files)]
    for step in built.progress.each('series', steps, label):
        present.update(step.files)
        mine = [path for path in step.files if path.startswith(SIM)]
        for path in mine:
            write_if_changed(os.path.join(folder, path), patchset.content(path, present))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for wrong in pool.map(lambda path: compiles(built, path, folder), mine):
                yield from (f'{label(step)}: {line}' for line in wrong)


def label(step: patchset.Step) -> str:
    return step.subject or step.patch


def compile_command(out: str, path: str) -> str:
    """The shell command that kbuild compiled an object of the simulation with, '' for none."""
    folder, name = os.path.split(path)
    name = f'.{os.path.splitext(name)[0]}.o.cmd'
    text = (work_tree.read(os.path.join(out, folder, name)) or b'').decode()
    saved = re.search(r'^savedcmd_\S+ := (.*)', text, re.MULTILINE)
    # objtool and the like come after it.
    return saved[1].split(' ; ')[0] if saved else ''


def compiles(built: Built, path: str, folder: str) -> list[str]:
    """What the compiler says of an object of the simulation, made of the sources in `folder`."""
    saved = compile_command(built.kernel.out, path)
    if not path.endswith(('.c', '.S')) or not saved:
        return []
    # The headers of the simulation are those of this step, not those of the whole series.
    script = saved.replace(os.path.join(built.work.tree, SIM), os.path.join(folder, SIM))
    script = re.sub(r' -o \S+', f' -o {os.path.join(folder, path)}.o', script)
    script = re.sub(r' -Wp,-MMD,\S+', '', script)
    done = subprocess.run(['sh', '-c', script], cwd=built.kernel.out, text=True,
                          capture_output=True, env=command.environment(), check=False)
    return [f'{path}: {command.telling(done.stderr)}'] if done.returncode else []


def suite_folder(work: WorkTree, folder: str) -> None:
    """A copy of the tree, by links: hard ones of tools/, whose files are replaced."""
    for name in os.listdir(work.tree):
        if name != 'tools':
            os.symlink(os.path.join(work.tree, name), os.path.join(folder, name))
    command.output(['cp', '-al', os.path.join(work.tree, 'tools'), folder])
    for path in work_tree.overlay_files():
        if path.startswith('tools/'):
            os.unlink(os.path.join(folder, path))


class Replay:
    """The selftests of a tree to which patches come, one after the other.

    steps: all that will come.
    """

    def __init__(self, built: Built, steps: Iterable[patchset.Step], folder: str) -> None:
        self.work = built.work
        self.log = built.build.log('series')
        self.folder = folder
        self.out = os.path.join(folder, 'out')
        self.present: set[str] = set()
        os.makedirs(self.out)
        suite_folder(self.work, folder)
        for path in touched_by(steps):
            if path.startswith('tools/'):
                replace(os.path.join(folder, path), self.work.original(path))

    def take(self, step: patchset.Step) -> bool:
        """Lay the files of a step; False if it has none of the selftests."""
        self.present.update(step.files)
        if step.patch:
            command.run(['git', 'apply', '--include=tools/*',
                         os.path.join(PROJECT, 'patches', step.patch)], self.log, cwd=self.folder,
                        env={'GIT_CEILING_DIRECTORIES': os.path.dirname(self.folder)})
        for path in {*step.files, *(set(patchset.ROW_LISTS) & self.present)}:
            if path.startswith('tools/'):
                replace(os.path.join(self.folder, path), patchset.content(path, self.present))
        return any(path.startswith('tools/') for path in step.files + touched_by([step]))

    def make(self, step: patchset.Step) -> None:
        """Build what a step can break: its own tests, and one that is linked with all else.

        The steps add files, and change none.
        """
        makefile = os.path.join(self.folder, SUITE, 'Makefile.kvm')
        own = [stem for path in step.files if (stem := patchset.stem(path)) in PROGRAMS and
               b'Makefile.tdx' in work_tree.content(makefile)]
        command.run(['make', '-C', os.path.join(self.folder, SUITE), f'OUTPUT={self.out}',
                     f'-j{os.cpu_count() or 1}',
                     f'KHDR_INCLUDES=-isystem {self.work.out("headers")}/usr/include',
                     *(os.path.join(self.out, goal)
                       for goal in (OTHER_TEST, *(f'x86/{name}' for name in own)))],
                    self.log, env=suite.ENVIRONMENT, what='make')


def build_suite(built: Built, steps: Sequence[patchset.Step], replay: Replay) -> Iterator[str]:
    """The selftests build after each patch that touches them. Ends with the first that fails."""
    for step in built.progress.each('series', steps, label):
        try:
            if replay.take(step):
                replay.make(step)
        except Failure as e:
            yield f'{label(step)}: {e}'
            return


def run(built: Built, piece: parts.Piece, replay: Replay) -> Iterator[str]:
    """The first case of each test of a part passes, built as the part leaves it.

    The suite as a whole is run by make check.
    """
    mine = suite.Suite(built.build, built.work, replay.out)
    tests: suite.Tests = [(name, ['-r', mine.cases(name)[0]])
                          for name in parts.tests_in(piece) if name in suite.names()]
    done = runs.run_tests(dataclasses.replace(built, suite=mine), tests)
    built.progress.say(f'series: {piece.name}: {done.verdict.summary}')
    yield from done.verdict.wrong()


def touched_by(steps: Iterable[patchset.Step]) -> list[str]:
    return [path for step in steps if step.patch
            for path in series.touched(patchset.read_patch(step.patch))]


def replace(path: str, data: bytes) -> None:
    """Write a new file: other hard links to the old one keep the old content."""
    if os.path.exists(path):
        os.unlink(path)
    write_if_changed(path, data)
