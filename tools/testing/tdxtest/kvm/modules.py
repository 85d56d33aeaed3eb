# SPDX-License-Identifier: GPL-2.0-only
"""A module of KVM built again with some of its sources changed, beside the first one.

kbuild saves the command that made each file. Here the same commands run with the changed
file and the new object in place of the old ones. The module differs in nothing else, and
takes the time of one object. The first build is not changed, so many modules can be made
at once.
"""

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.tree import series, work_tree
from tdxtest.tree.kernel import Kernel

FOLDER = 'arch/x86/kvm'
MODULE = 'kvm-intel'
# What all of KVM shares, which kvm-intel.ko is loaded after.
COMMON = 'kvm'
# Sources of the common module that kbuild compiles by a path from FOLDER.
GENERIC = 'virt/kvm/'


def module_of(path: str) -> str:
    """The module that a source of KVM on Intel is a part of."""
    return MODULE if path.startswith(f'{FOLDER}/vmx/') else COMMON


def kbuild_path(path: str) -> str:
    """How kbuild names a source of KVM."""
    return f'{FOLDER}/../../../{path}' if path.startswith(GENERIC) else path


def saved_command(path: str) -> str:
    """The command that kbuild saved for the file `path`, as make would run it."""
    folder, name = os.path.split(path)
    cmd = os.path.join(folder, f'.{name}.cmd')
    try:
        with open(cmd, encoding='utf-8') as f:
            first = f.readline()
    except FileNotFoundError as e:
        raise Failure(f'{cmd} is missing: the kernel is not built') from e
    match = re.match(r'savedcmd_\S+ := (.*)', first)
    if not match:
        raise Failure(f'{cmd}: wanted "savedcmd_", got {first[:60]!r}')
    return match[1].replace('$(pound)', '#').replace('$$', '$')


def replaced(text: str, old: str, new: str) -> str:
    """A command with one word for another; Failure when it has no such word."""
    # A word may also be the last item of a list, as in "-Wp,-MMD,FILE".
    changed, count = re.subn(rf'(?<![^\s,@]){re.escape(old)}(?=[\s;]|$)',
                             lambda match: shlex.quote(new), text)
    if not count:
        raise Failure(f'a command that kbuild saved does not name {old}')
    return changed


class Variant:
    """A module of its own below `folder`.

    kernel: the built Kernel; key: what the sources differ by, such as a patch; module:
    MODULE or COMMON.
    """

    def __init__(self, kernel: Kernel, folder: str, key: str = '', module: str = MODULE) -> None:
        self.kernel = kernel
        self.folder = folder
        self.module = module
        self.log = os.path.join(folder, 'build.log')
        self.path = os.path.join(folder, f'{module}.ko')
        self._key = key
        self._stamp = os.path.join(folder, 'built')

    def _state(self, flags: Sequence[str]) -> bytes:
        # A change that matters to the module changes the bytes of its first build; most edits
        # of the kernel do not.
        first = os.path.join(self.kernel.out, FOLDER, f'{self.module}.ko')
        digest = hashlib.sha256(work_tree.read(first) or b'')
        digest.update('\n'.join((self.kernel.state, self._key, *flags)).encode())
        return digest.hexdigest().encode()

    def is_built(self, flags: Sequence[str] = ()) -> bool:
        return work_tree.read(self._stamp) == self._state(flags) and os.path.exists(self.path)

    def source(self, path: str) -> str:
        """Where this variant's own copy of a source lies, if it has one."""
        return os.path.join(self.folder, path)

    def apply(self, patch: str) -> list[str]:
        """Take the sources that a patch changes, changed. Failure when it does not apply."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        with open(patch, encoding='utf-8') as f:
            paths = list(series.touched(f.read()))
        for path in paths:
            data = work_tree.read(os.path.join(self.kernel.work.tree, path))
            if data is None:
                raise Failure(f'Linux {self.kernel.work.source.version} has no {path}')
            write_if_changed(self.source(path), data)
        command.run(['git', 'apply', os.path.abspath(patch)], self.log, cwd=self.folder,
                    env={'GIT_CEILING_DIRECTORIES':
                         os.path.dirname(os.path.realpath(self.folder))})
        return paths

    def build(self, paths: Iterable[str], flags: Sequence[str] = ()) -> None:
        """Compile the sources `paths` and link the module.

        paths: as the kernel names them; a file that this variant has no copy of
        is taken from the tree. flags: what the compiler gets beside its own.
        """
        os.makedirs(self.folder, exist_ok=True)
        objects = {self._object(path): self._compile(path, flags) for path in paths}
        self._link(objects)
        write_if_changed(self._stamp, self._state(flags))

    @staticmethod
    def _object(path: str) -> str:
        return os.path.splitext(kbuild_path(path))[0] + '.o'

    def _run(self, text: str, what: str) -> None:
        try:
            command.run(['sh', '-c', 'set -e; ' + text], self.log, cwd=self.kernel.out, what=what)
        except Failure as e:
            # The compiler prints the path of its input; a person knows the kernel's path of it.
            why, mark, log = str(e).partition(' (whole output: ')
            raise Failure(why.replace(f'{self.folder}/', '') + mark + log) from e

    def _compile(self, path: str, flags: Sequence[str]) -> str:
        built = self._object(path)
        target = os.path.normpath(os.path.join(self.folder, built))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        original = os.path.join(self.kernel.work.tree, kbuild_path(path))
        text = saved_command(os.path.join(self.kernel.out, built))
        text = replaced(text, built, target)
        folder, name = os.path.split(built)
        text = replaced(text, os.path.join(folder, f'.{name}.d'), f'{target}.d')
        extra = [*flags, '-iquote', os.path.dirname(original),
                 f'-fmacro-prefix-map={self.folder}/=']
        source = self.source(path) if os.path.exists(self.source(path)) else original
        text = replaced(text, original, source)
        # These options must come after all others, which they override, and before the source.
        text = re.sub(r' -c -o ', lambda m: ' ' + shlex.join(extra) + m[0], text, count=1)
        self._run(text, f'compiling {path}')
        return target

    def _link(self, objects: Mapping[str, str]) -> None:
        out = os.path.join(self.kernel.out, FOLDER)
        name = self.module
        listed = work_tree.content(os.path.join(out, f'{name}.mod')).decode().split()
        missing = set(objects) - set(listed)
        if missing:
            raise Failure(f'{min(missing)} is no part of {name}.ko')
        own = os.path.join(self.folder, f'{name}.mod')
        write_if_changed(own, ''.join(f'{objects.get(o, o)}\n' for o in listed).encode())
        linked = os.path.join(self.folder, f'{name}.o')
        text = saved_command(os.path.join(out, f'{name}.o'))
        text = replaced(text, f'{FOLDER}/{name}.mod', own)
        self._run(replaced(text, f'{FOLDER}/{name}.o', linked), f'linking {name}.o')
        self._check_symbols(linked)
        text = saved_command(os.path.join(out, f'{name}.ko'))
        text = replaced(text, f'{FOLDER}/{name}.o', linked)
        self._run(replaced(text, f'{FOLDER}/{name}.ko', self.path), f'linking {name}.ko')

    def _check_symbols(self, linked: str) -> None:
        """Failure for a symbol that no module exports, as modpost would report it."""
        symvers = work_tree.content(os.path.join(self.kernel.out, 'Module.symvers')).decode()
        exported = {line.split('\t')[1] for line in symvers.splitlines()}
        wanted = {line.split()[-1] for line in command.output(['nm', '-u', linked]).splitlines()}
        unknown = wanted - exported - self._undefined_before()
        if unknown:
            raise Failure(f'{self.module}.ko: undefined: {", ".join(sorted(unknown))}')

    def _undefined_before(self) -> set[str]:
        """Symbols that the first build leaves undefined as well, such as module_layout."""
        first = os.path.join(self.kernel.out, FOLDER, f'{self.module}.o')
        return {line.split()[-1] for line in command.output(['nm', '-u', first]).splitlines()}
