# SPDX-License-Identifier: GPL-2.0-only
"""What a compiler says of the project's own C, with more warnings than a build asks for.

The commands are those that the suite's Makefile and kbuild use; they compile to
nothing. No build fails by a warning: only the project's checks count them.
"""

import concurrent.futures
import dataclasses
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator

from tdxtest.base import command
from tdxtest.base.paths import GUEST_SOURCES, PROJECT
from tdxtest.kvm import modules
from tdxtest.tree import suite, work_tree
from tdxtest.tree.kernel import Kernel

SIM = 'arch/x86/virt/vmx/tdx/sim'
# What GCC 14 makes errors of, for the compilers before it: an error counts wherever it
# is, also in a header of the kernel that does not fit what we pass. GCC 14 has names
# for two more, return-mismatch and declaration-missing-parameter-type, and needs no flag.
ERRORS = ('-Werror=implicit-function-declaration', '-Werror=implicit-int',
          '-Werror=incompatible-pointer-types', '-Werror=int-conversion', '-Werror=return-type')
WARNINGS = ('-Wall', '-Wextra', '-Wunused', '-Wunused-but-set-variable', '-Wunused-macros',
            '-Wmissing-declarations', '-Wmissing-prototypes', '-Wstrict-prototypes',
            '-Wold-style-definition', '-Wnested-externs', '-Woverride-init', '-Wundef', '-Wvla',
            # A callback has the parameters of its type, whether it needs them or not.
            '-Wno-unused-parameter')
STRICT = (*ERRORS, *WARNINGS)
# Off for all of the kernel's code, in whose style rows end where their values do and an
# int counts up to ARRAY_SIZE().
KERNEL = (*STRICT, '-Wunused-const-variable', '-Wmissing-format-attribute',
          '-Wmissing-include-dirs', '-Wtype-limits', '-Wshift-negative-value',
          '-Wpacked-not-aligned', '-Wno-missing-field-initializers', '-Wno-sign-compare')
# With -fsyntax-only GCC does not see that a function is unused. For link-time optimization
# it does, and code is not generated: that takes half the time.
NO_PRODUCT = ('-S', '-o', os.devnull, '-flto', '-fno-fat-lto-objects')
# Code of the kernel among the guest's programs.
KERNEL_PROGRAMS = ('defects.c',)
MESSAGE = re.compile(r'(\S[^:]*):(\d+):(?:\d+:)? (warning|(?:fatal )?error): (.*)')


@dataclasses.dataclass(frozen=True)
class Unit:
    """A file of the project, and how it is compiled."""

    source: str             # relative to the project
    argv: tuple[str, ...]   # prints what is wrong, and makes nothing
    folder: str             # where it runs
    tree: str               # the work tree, in which the project's files are copies


def without_product(argv: Iterable[str], flags: Iterable[str]) -> tuple[str, ...]:
    """A command that compiles, so that it only looks for what is wrong."""
    words = [word for word in argv if word not in ('-c', '-S', '-MD', '-MP')
             and not word.startswith('-Wp,-M')]
    if '-o' in words:
        del words[words.index('-o'):words.index('-o') + 2]
    return (*words, *flags, *NO_PRODUCT)


def own_sources(folder: str) -> set[str]:
    """The C files of the project below one of its folders."""
    return {path for path in work_tree.overlay_files()
            if path.startswith(folder + '/') and path.endswith('.c')}


def guest_files() -> Iterator[str]:
    """Those of the guest's programs, which are not laid over a kernel."""
    for folder, _, names in os.walk(GUEST_SOURCES):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), PROJECT)


def suite_commands(built: suite.Suite, *words: str) -> Iterator[tuple[str, list[str]]]:
    """(C file, command) for each file of the selftests that make would compile.

    words: for make, beside those of a build from nothing.
    """
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='suite-') as out:
        said = command.output([*built.make(out), '--dry-run', *words], env=suite.ENVIRONMENT)
    for line in said.splitlines():
        argv = shlex.split(line) if ' -o ' in line else []
        for word in argv:
            if word.endswith('.c'):
                yield os.path.normpath(os.path.join(suite.FOLDER, word)), argv


def suite_units(built: suite.Suite) -> Iterator[Unit]:
    """Those of the suite."""
    folder = os.path.join(built.work.tree, suite.FOLDER)
    own = own_sources(suite.FOLDER)
    for source, argv in suite_commands(built, suite.GOAL):
        if source in own:
            yield Unit(source, without_product(argv, STRICT), folder, built.work.tree)


def saved_compile(kernel: Kernel, source: str) -> tuple[str, ...]:
    """How kbuild compiled a C file of the kernel, objtool and the like left out."""
    saved = modules.saved_command(os.path.join(kernel.out, source.removesuffix('.c') + '.o'))
    return without_product(shlex.split(saved.split(' ; ')[0]), KERNEL)


def sim_units(kernel: Kernel) -> Iterator[Unit]:
    """Those of the simulated module."""
    for source in sorted(own_sources(SIM)):
        yield Unit(source, saved_compile(kernel, source), kernel.out, kernel.work.tree)


def guest_units(built: suite.Suite, kernel: Kernel) -> Iterator[Unit]:
    """Those of the programs that run in the guest, and of a module beside them."""
    headers = built.headers.out('headers', 'usr', 'include')
    for source in sorted(guest_files()):
        path, name = os.path.join(PROJECT, source), os.path.basename(source)
        if name in KERNEL_PROGRAMS:
            # It has no saved command; that of another object differs in the file and in MODULE.
            other = min(own_sources(SIM))
            words = [path if word.endswith(other) else word
                     for word in saved_compile(kernel, other)]
            yield Unit(source, (*words, '-DMODULE'), kernel.out, kernel.work.tree)
        elif name.endswith('.c'):
            yield Unit(source, ('gcc', '-O2', '-isystem', headers, path, *STRICT, *NO_PRODUCT),
                       PROJECT, PROJECT)


def own_path(path: str, folder: str, tree: str, own: frozenset[str]) -> str:
    """A file that a compiler names, relative to the project; '' for one of the kernel.

    The work tree may lie in the project, as it does by default.
    """
    path = os.path.normpath(os.path.join(folder, path))
    names = (os.path.relpath(path, top) for top in (tree, PROJECT))
    return next((name for name in names if name in own), '')


def complaints(said: str, folder: str, tree: str) -> Iterator[str]:
    """A line for each warning in a file of the project, and for each error anywhere.

    said: what compilers printed that ran in `folder`; tree: the work tree, in which the
    project's files are copies.
    """
    own = frozenset((*work_tree.overlay_files(), *guest_files()))
    for line in said.splitlines():
        match = MESSAGE.match(line)
        if not match:
            continue
        path, number, kind, text = match.groups()
        name = own_path(path, folder, tree, own)
        if name or kind != 'warning':
            yield f'{name or path}:{number}: {kind}: {text}'


def compile_unit(unit: Unit) -> list[str]:
    """What is wrong with one file."""
    done = subprocess.run(unit.argv, cwd=unit.folder, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, errors='replace', check=False,
                          env=command.environment())
    found = list(complaints(done.stderr, unit.folder, unit.tree))
    if done.returncode and not found:
        found.append(f'{unit.source}: {command.telling(done.stderr)}')
    return found


def compile_all(units: Iterable[Unit]) -> list[str]:
    """What is wrong with many files. Each line comes once, also that of a shared header."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = pool.map(compile_unit, units)
        return list(dict.fromkeys(line for lines in found for line in lines))
