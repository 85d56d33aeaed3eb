# SPDX-License-Identifier: GPL-2.0-only
"""KVM's modules built a second time with a patch series over the sources.

The files that the series touches decide how much is built: single objects of kvm-intel.ko
(modules.py); or KVM's modules by kbuild, in the tree of the base, whose files and objects are
restored afterwards; or a whole kernel in a folder of its own.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import UsageError
from tdxtest.kvm import modules
from tdxtest.tree import applying, kept, mail, work_tree
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.work_tree import WorkTree

# Folders whose files go into KVM's modules and into nothing else.
KVM_FOLDERS = ('arch/x86/kvm/', 'virt/kvm/')
KVM_MODULES = ('kvm.ko', 'kvm-intel.ko')


def objects_of(checkout: str) -> str:
    """The folder of git's objects of a checkout, '' if it is none."""
    if not checkout or not os.path.exists(os.path.join(checkout, '.git')):
        return ''
    path = command.output(['git', '-c', f'safe.directory={checkout}', '-C', checkout, 'rev-parse',
                           '--git-path', 'objects'], check=False).strip()
    return os.path.join(checkout, path) if path else ''


class Patched:
    """The files that a series changes, with its changes, and the modules made of them.

    kernel: the built base; folder: for all that this makes.
    """

    def __init__(self, kernel: Kernel, folder: str) -> None:
        self.kernel = kernel
        self.folder = folder
        # {path: bytes, None for a file that is gone}
        self.files: dict[str, bytes | None] = {}
        self.notes: list[str] = []      # what was not applied, and why

    def apply(self, patches: Iterable[mail.Patch], base: str = '', loose: bool = False) -> None:
        """Take the patches in order. Failure names the one that does not apply, and where.

        base: what they say of the tree that they are for; loose: white space need not be
        the same.
        """
        source = self.kernel.work.source
        applier = applying.Applier(self.kernel.work.tree, f'Linux {source.version}', self.folder,
                                   base=base, objects=objects_of(source.pristine), loose=loose)
        applier.apply(patches)
        self.files, self.notes = applier.files, applier.notes
        if not self.files and applier.already and not applier.left_out:
            raise UsageError(f'already in Linux {source.version}: '
                             + '; '.join(patch.label() for patch in applier.already))

    def built_files(self) -> list[str]:
        """The paths that matter to a build."""
        return sorted(filter(applying.is_built, self.files))

    def objects_only(self) -> bool:
        """True when single objects of kvm-intel.ko are all that differs."""
        return all(path.startswith('arch/x86/kvm/vmx/') and path.endswith('.c') and
                   self.files[path] is not None and
                   os.path.exists(os.path.join(self.kernel.out, path[:-2] + '.o'))
                   for path in self.built_files())

    def modules_only(self) -> bool:
        return all(path.startswith(KVM_FOLDERS) for path in self.built_files())

    def build(self) -> dict[str, str]:
        """Build what differs; gives {base name of a module: file}. Failure with the first error."""
        if self.objects_only():
            variant = modules.Variant(self.kernel, os.path.join(self.folder, 'objects'))
            shutil.rmtree(variant.folder, ignore_errors=True)
            for path in self.built_files():
                write_if_changed(variant.source(path), self.files[path] or b'')
            variant.build(self.built_files())
            return {os.path.basename(variant.path): variant.path}
        with InPlace(self.kernel, self.files):
            self.kernel.make('modules', log='review')
            return self._taken()

    def _taken(self) -> dict[str, str]:
        """Copies of the modules as they are in the build now."""
        taken = {}
        for name in KVM_MODULES:
            target = os.path.join(self.folder, 'modules', name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(self.kernel.out, 'arch/x86/kvm', name), target)
            taken[name] = target
        return taken


class InPlace:
    """Changes files of a built tree as long as the context lasts.

    At its end, files and objects are restored with their times, so that make finds
    nothing to do. If the run is killed, the next one restores them when it lays the tree.
    It finds no stamp then, and lets make look at everything.
    """

    def __init__(self, kernel: Kernel, files: Mapping[str, bytes | None]) -> None:
        self.kernel = kernel
        self.files = {path: data for path, data in files.items()
                      if applying.is_built(path)}
        self.stamp = os.path.join(kernel.out, 'tdxtest-built')
        self._stamped: bytes | None = None
        self.objects = [os.path.join(kernel.out, folder) for folder in KVM_FOLDERS
                        if os.path.isdir(os.path.join(kernel.out, folder))]
        self.objects += [path for name in ('Module.symvers', 'modules.order', '.Module.symvers.cmd')
                         if os.path.exists(path := os.path.join(kernel.out, name))]

    def __enter__(self) -> None:
        self._stamped = work_tree.read(self.stamp)
        if self._stamped is not None:
            os.unlink(self.stamp)
        kept.keep(self.kernel.work.folder, self.objects + list(map(self._source, self.files)))
        for path, data in self.files.items():
            if data is not None:
                write_if_changed(self._source(path), data)
            else:
                kept.remove(self._source(path))

    def __exit__(self, *exception: object) -> None:
        kept.restore(self.kernel.work.folder)
        if self._stamped is not None:
            write_if_changed(self.stamp, self._stamped)

    def _source(self, path: str) -> str:
        return os.path.join(self.kernel.work.tree, path)


class Beside:
    """A tree of its own for a series that changes more than KVM's modules.

    Files that do not differ are the same ones, by hard links; a patched file is a
    new one. It has what a Kernel wants of a work tree.
    """

    def __init__(self, work: WorkTree, files: Mapping[str, bytes | None]) -> None:
        self.source = work.source
        self.folder = work.out('review', 'kernel')
        self.tree = os.path.join(self.folder, 'tree')
        self.state = ''         # not known: make must look at everything
        before = os.path.join(self.folder, 'patched')
        changed_before = (work_tree.read(before) or b'').decode().split()
        shutil.rmtree(self.tree, ignore_errors=True)
        os.makedirs(self.folder, exist_ok=True)
        shutil.copytree(work.tree, self.tree, symlinks=True, copy_function=os.link)
        for path in changed_before:
            # The restored file is older than the products of the patched one: make must see it.
            target = os.path.join(self.tree, path)
            data = work_tree.read(target)
            if data is not None:
                os.unlink(target)
                write_if_changed(target, data)
        write_if_changed(before, '\n'.join(files).encode())
        for path, data in files.items():
            target = os.path.join(self.tree, path)
            kept.remove(target)
            if data is not None:
                write_if_changed(target, data)

    def out(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)


def whole_kernel(build: Build, work: WorkTree, configs: Sequence[str],
                 files: Mapping[str, bytes | None]) -> Kernel:
    """A Kernel with the files changed, built in a folder of its own."""
    kernel = Kernel(build, Beside(work, files), configs)
    kernel.configure()
    kept.remove(os.path.join(kernel.out, 'tdxtest-built'))
    kernel.compile()
    return kernel
