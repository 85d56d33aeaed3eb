# SPDX-License-Identifier: GPL-2.0-only
"""The suite and the simulated module build without a warning with other compilers.

Each is the compiler of a Debian suite, in a root with the packages of that suite. The
suite is built as a CI system builds kselftests, with the warnings of
compiler_warnings.py; the simulated module with those of the kernel's W=1.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence

from tdxtest.base import apt, root
from tdxtest.base.checking import NotHere, When
from tdxtest.base.failure import Failure
from tdxtest.guest.stages import Built
from tdxtest.kvm import diagnostics
from tdxtest.tree import suite

NAME = 'other compilers'
WHEN = When.LONG
PACKAGES = ('bc', 'bison', 'clang', 'flex', 'gcc', 'libc6-dev', 'libelf-dev', 'libssl-dev', 'lld',
            'llvm', 'make', 'perl', 'python3', 'uuid-dev')
CLANG, LLVM = 'CC=clang', 'LLVM=1'


@dataclasses.dataclass(frozen=True)
class Compiler:
    """The compiler of a Debian suite."""

    name: str
    debian: str
    words: tuple[str, ...] = ()     # for make
    builds_kernels: bool = True


# Both words for clang: LLVM=1 brings flags and tools of its own.
COMPILERS = (
    Compiler('gcc-bookworm', 'bookworm'),
    Compiler('gcc-trixie', 'trixie'),
    Compiler('gcc-unstable', 'unstable'),
    # Linux 7 wants clang 15.
    Compiler('clang-bookworm', 'bookworm', (CLANG,), builds_kernels=False),
    Compiler('clang-trixie', 'trixie', (CLANG,)),
    Compiler('llvm-trixie', 'trixie', (LLVM,)),
    Compiler('llvm-unstable', 'unstable', (LLVM,)),
)


class Bench:
    """A root with a compiler, in which the work tree is where it is outside."""

    def __init__(self, built: Built, compiler: Compiler) -> None:
        self.built = built
        self.compiler = compiler
        build = built.build
        self.root = root.make(build, f'compilers-{compiler.debian}', compiler.debian, PACKAGES)
        self.out = build.folder('roots', f'out-{compiler.name}')
        self.log = build.log(f'compiler-{compiler.name}')
        with open(self.log, 'w', encoding='utf-8'):
            pass

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        # What finds out which flags a compiler takes writes into the source.
        folders = dict.fromkeys([self.built.work.folder, self.built.suite.work.folder, self.out])
        self.root.run(argv, self.log, what=f'{argv[0]} with {self.compiler.name}', env=env,
                      mounts=[root.Mount(folder, folder, True) for folder in folders])

    def make(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.run([*argv, f'-j{os.cpu_count() or 1}', '--keep-going', *self.compiler.words], env)

    def empty(self, name: str) -> str:
        """A folder below `out` without anything in it. What is there may be root's."""
        folder = os.path.join(self.out, name)
        self.run(['rm', '-rf', folder])
        self.run(['mkdir', '-p', folder])
        return folder

    def suite(self) -> None:
        out = self.empty('suite')
        self.make([*self.built.suite.make(out, ' '.join(diagnostics.STRICT)), suite.GOAL],
                  suite.ENVIRONMENT)

    def module(self) -> None:
        out = os.path.join(self.out, 'kernel')
        # make would say nothing of an object that is there.
        self.empty(os.path.join('kernel', diagnostics.SIM))
        argv = ['make', '-C', self.built.work.tree, f'O={out}', 'W=1']
        fragment = os.path.join(self.built.kernel.out, 'tdxtest.config')
        self.make([*argv, 'allnoconfig'], {'KCONFIG_ALLCONFIG': fragment})
        self.make([*argv, f'{diagnostics.SIM}/'])

    def complaints(self) -> Iterator[str]:
        """What the log tells, and it is about the project."""
        with open(self.log, encoding='utf-8', errors='replace') as f:
            said = f.read()
        for tree in dict.fromkeys([self.built.work.tree, self.built.suite.work.tree]):
            yield from diagnostics.complaints(said, os.path.join(tree, suite.FOLDER), tree)


def try_compiler(built: Built, compiler: Compiler) -> Iterator[str]:
    """What is wrong with one compiler, each line once."""
    bench, wrong = Bench(built, compiler), []
    with built.progress.step('compilers', f'{compiler.name}: the suite and the simulated '
                             f'module; log: {bench.log}'):
        for build in (bench.suite, *([bench.module] if compiler.builds_kernels else [])):
            try:
                build()
            except Failure as e:
                wrong.append(str(e))
    yield from (f'{compiler.name}: {line}' for line in
                dict.fromkeys([*bench.complaints(), *wrong]))


def check(built: Built) -> Iterator[str]:
    why = root.unavailable()
    if why:
        raise NotHere(why)
    apt.ensure_installed(built.progress, built.build.log('apt'), 'check-long')
    for compiler in built.progress.each('compilers', COMPILERS, lambda compiler: compiler.name):
        yield from try_compiler(built, compiler)
