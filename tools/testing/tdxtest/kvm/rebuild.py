# SPDX-License-Identifier: GPL-2.0-only
"""KVM's modules built a second time with a patch series over the sources.

The files that the series touches decide how much is built: single objects of kvm-intel.ko
(modules.py); or KVM's modules by kbuild, in the tree of the base, whose files and objects are
restored afterwards; or a kernel in a folder of its own, which begins with the products of
the base. What includes a changed header is known by the dependencies that kbuild saved.
"""

import os
import shutil
from collections.abc import Iterable, Mapping

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import UsageError
from tdxtest.kvm import dependants, inlined, modules
from tdxtest.tree import applying, kept, mail, moved, work_tree
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.work_tree import WorkTree

# Folders whose files go into KVM's modules and into nothing else.
KVM_FOLDERS = ('arch/x86/kvm/', 'virt/kvm/')
# How many objects beside KVM's modules are compiled to see whether they change. More of them
# take as long as the kernel does.
MOST_TRIED = 40
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
        self.debugged = ''              # the module with what a debugger needs

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

    def needed(self) -> list[str]:
        """The paths that this build is made of, or may be."""
        made = self._dependants()
        return [path for path in self.built_files() if made.get(path, True) or
                not os.path.exists(os.path.join(self.kernel.work.tree, path))]

    def _dependants(self) -> dict[str, list[str]]:
        """{path: the objects that depend on it} of the sources beside KVM's own."""
        return dependants.made_of(self.kernel, [
            path for path in self.built_files()
            if path.endswith(dependants.SOURCES) and not path.startswith(KVM_FOLDERS)])

    def built_files(self) -> list[str]:
        """The paths that matter to a build."""
        return sorted(filter(applying.is_built, self.files))

    def versions(self) -> dict[str, tuple[bytes | None, bytes | None]]:
        """{path: (before, after)} of the files that matter to a build."""
        return {path: (work_tree.read(os.path.join(self.kernel.work.tree, path)),
                       self.files[path]) for path in self.built_files()}

    def objects_only(self) -> bool:
        """True when single objects of kvm-intel.ko are all that differs."""
        return all(path.startswith('arch/x86/kvm/vmx/') and path.endswith('.c') and
                   self.files[path] is not None and
                   os.path.exists(os.path.join(self.kernel.out, path[:-2] + '.o'))
                   for path in self.needed())

    def outside(self) -> list[str] | None:
        """Objects beside KVM's modules that include what differs; None if they are not known."""
        paths = [path for path in self.built_files() if not path.startswith(KVM_FOLDERS)]
        if not all(path.endswith(dependants.SOURCES) for path in paths) or any(
                os.path.basename(path).startswith('Kconfig') for path in self.built_files()):
            return None     # the configuration, Makefiles and the like
        return sorted({target for targets in self._dependants().values() for target in targets
                       if not target.startswith(KVM_FOLDERS)})

    def build_modules(self) -> dict[str, str] | None:
        """Build KVM's modules; gives {base name: file}. None if they are not all that differs.

        What else includes a changed header often has the same code as before: that is tried.
        Failure with the first error.
        """
        others = self.outside()
        if others is None or len(others) > MOST_TRIED:
            return None
        with InPlace(self.kernel, self.files):
            scratch = os.path.join(self.folder, 'others')
            shutil.rmtree(scratch, ignore_errors=True)
            if not dependants.all_same(self.kernel, others, scratch):
                return None
            self.notes += [f'{target} includes what changed, and stays as it is'
                           for target in others]
            self.kernel.make('modules', log='review')
            return self._taken()

    def build_objects(self) -> dict[str, str]:
        """Build single objects of kvm-intel.ko; gives {base name: file}."""
        variant = modules.Variant(self.kernel, os.path.join(self.folder, 'objects'))
        shutil.rmtree(variant.folder, ignore_errors=True)
        for path in self.needed():
            write_if_changed(variant.source(path), self.files[path] or b'')
        # What a debugger needs changes no code, and names the functions of a guest that hangs.
        # The guest gets the module without it, as its disk is slow.
        variant.build(self.needed(), ['-g'])
        self.debugged = variant.path
        stripped = os.path.join(self.folder, 'modules', os.path.basename(variant.path))
        os.makedirs(os.path.dirname(stripped), exist_ok=True)
        command.run(['objcopy', '--strip-debug', variant.path, stripped], variant.log)
        return {os.path.basename(stripped): stripped}

    def inlined(self, name: str, offset: int) -> list[inlined.Place]:
        """The functions at an offset in a function, as inlined.chain() gives them.

        Only single objects are compiled with what it takes.
        """
        roots = (os.path.join(self.folder, 'objects'), self.kernel.work.tree)
        return inlined.chain(self.debugged, name, offset, roots) if self.debugged else []

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
        shutil.rmtree(self.tree, ignore_errors=True)
        os.makedirs(self.folder, exist_ok=True)
        shutil.copytree(work.tree, self.tree, symlinks=True, copy_function=os.link)
        for path, data in files.items():
            target = os.path.join(self.tree, path)
            kept.remove(target)
            if data is not None:
                write_if_changed(target, data)

    def out(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)


def whole_kernel(base: Kernel, work: WorkTree, files: Mapping[str, bytes | None]) -> Kernel:
    """A Kernel with the files changed, built in a folder of its own.

    It begins with the products of the base, so that only what differs is built.
    """
    beside = Beside(work, files)
    kernel = Kernel(base.build, beside, base.configs)
    moved.copy(base.out, kernel.out, {base.out: kernel.out, work.tree: beside.tree})
    kernel.configure()
    kept.remove(os.path.join(kernel.out, 'tdxtest-built'))
    kernel.compile()
    return kernel
