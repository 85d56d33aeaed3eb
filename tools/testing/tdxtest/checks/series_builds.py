# SPDX-License-Identifier: GPL-2.0-only
"""Each patch of the series leaves a tree that builds."""

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
from tdxtest.guest.stages import Built
from tdxtest.tree import parts, patchset, series, suite, work_tree
from tdxtest.tree.work_tree import WorkTree

NAME = 'patch series, each patch builds'
WHEN = When.LONG
SIM = 'arch/x86/virt/vmx/tdx/sim'
SUITE = 'tools/testing/selftests/kvm'
# A test without TDX: it is linked with all of the library, TDX or not.
OTHER_TEST = 'x86/sev_smoke_test'


def check(built: Built) -> Iterator[str]:
    steps, wrong = patchset.plan(built.work.source.key())
    yield from wrong
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='series-') as folder:
        yield from build_sim(built, steps, os.path.join(folder, 'sim'))
        yield from build_suite(built, steps, os.path.join(folder, 'suite'))
        # The parts that can be posted have the same files in another order.
        pieces = parts.Cutter(built.work.source.key()).pieces()
        steps = [step for piece in pieces if piece.part.kind == 'suite' for step in piece.steps]
        yield from (f'part: {line}'
                    for line in build_suite(built, steps, os.path.join(folder, 'parts')))


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
    present = set()
    for step in steps:
        present.update(step.files)
        mine = [path for path in step.files if path.startswith(SIM)]
        for path in mine:
            write_if_changed(os.path.join(folder, path), patchset.content(path, present))
        for path in mine:
            saved = compile_command(built.kernel.out, path)
            if path.endswith(('.c', '.S')) and saved:
                yield from compiles(built, step, path, saved, folder)


def compile_command(out: str, path: str) -> str:
    """The shell command that kbuild compiled an object of the simulation with, '' for none."""
    folder, name = os.path.split(path)
    name = f'.{os.path.splitext(name)[0]}.o.cmd'
    text = (work_tree.read(os.path.join(out, folder, name)) or b'').decode()
    saved = re.search(r'^savedcmd_\S+ := (.*)', text, re.MULTILINE)
    # objtool and the like come after it.
    return saved[1].split(' ; ')[0] if saved else ''


def compiles(built: Built, step: patchset.Step, path: str, saved: str,
             folder: str) -> Iterator[str]:
    # The headers of the simulation are those of this step, not those of the whole series.
    script = saved.replace(os.path.join(built.work.tree, SIM), os.path.join(folder, SIM))
    script = re.sub(r' -o \S+', f' -o {folder}/object.o', script)
    script = re.sub(r' -Wp,-MMD,\S+', '', script)
    done = subprocess.run(['sh', '-c', script], cwd=built.kernel.out, text=True,
                          capture_output=True, env=command.environment(), check=False)
    if done.returncode:
        yield f'{step.subject}: {path}: {command.telling(done.stderr)}'


def suite_folder(work: WorkTree, folder: str) -> None:
    """A copy of the tree, by links: hard ones of tools/, whose files are replaced."""
    for name in os.listdir(work.tree):
        if name != 'tools':
            os.symlink(os.path.join(work.tree, name), os.path.join(folder, name))
    command.output(['cp', '-al', os.path.join(work.tree, 'tools'), folder])
    for path in work_tree.overlay_files():
        if path.startswith('tools/'):
            os.unlink(os.path.join(folder, path))


def build_suite(built: Built, steps: Sequence[patchset.Step], folder: str) -> Iterator[str]:
    """The selftests build after each patch that touches them: the suite, and another test."""
    work, log = built.work, built.build.log('series')
    os.makedirs(folder)
    suite_folder(work, folder)
    for path in touched_by(steps):
        if path.startswith('tools/'):
            replace(os.path.join(folder, path), work.original(path))
    out = os.path.join(folder, 'out')
    os.makedirs(out)
    present = set()
    for step in steps:
        present.update(step.files)
        mine = [p for p in step.files + touched_by([step]) if p.startswith('tools/')]
        if not mine:
            continue
        if step.patch:
            command.run(['git', 'apply', '--include=tools/*',
                         os.path.join(PROJECT, 'patches', step.patch)], log, cwd=folder,
                        env={'GIT_CEILING_DIRECTORIES': os.path.dirname(folder)})
        for path in {*step.files, *(set(patchset.ROW_LISTS) & present)}:
            if path.startswith('tools/'):
                replace(os.path.join(folder, path), patchset.content(path, present))
        goals = [os.path.join(out, OTHER_TEST)]
        if b'Makefile.tdx' in work_tree.content(os.path.join(folder, SUITE, 'Makefile.kvm')):
            goals.append(suite.GOAL)
        try:
            command.run(['make', '-C', os.path.join(folder, SUITE), f'OUTPUT={out}',
                         f'-j{os.cpu_count() or 1}',
                         f'KHDR_INCLUDES=-isystem {work.out("headers")}/usr/include', *goals],
                        log, env=suite.ENVIRONMENT, what='make')
        except Failure as e:
            yield f'{step.subject or step.patch}: {e}'


def touched_by(steps: Iterable[patchset.Step]) -> list[str]:
    return [path for step in steps if step.patch
            for path in series.touched(patchset.read_patch(step.patch))]


def replace(path: str, data: bytes) -> None:
    """Write a new file: other hard links to the old one keep the old content."""
    if os.path.exists(path):
        os.unlink(path)
    write_if_changed(path, data)
