# SPDX-License-Identifier: GPL-2.0-only
"""The work tree of a kernel: its source, the overlay, and the patches over it.

Everything is compared before it is written, so that make sees only what
changed. A person's tree is copied file by file, times kept, and never written.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Mapping

from tdxtest.base import contents
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.base.paths import PROJECT
from tdxtest.tree import kept, mirror, moved, patching, series
from tdxtest.tree.applying import Applier
from tdxtest.tree.mbox import Series
from tdxtest.tree.source import Source

content, read = contents.content, contents.read
OVERLAY = ('arch', 'tools', 'Documentation')
# The suite. It is left out of a tree whose selftest library it does not fit.
SUITE = 'tools/testing/selftests/'
# The tool and its pages are not part of the kernel's tree; it runs from here.
NOT_OVERLAID = ('tools/testing/tdxtest/', 'Documentation/dev-tools/tdxtest')


def overlay_files() -> list[str]:
    """Paths of the overlay's files, relative to the project."""
    files = []
    for top in OVERLAY:
        for folder, dirs, names in os.walk(os.path.join(PROJECT, top)):
            # Caches of Python and its checkers.
            dirs[:] = [d for d in dirs if d != '__pycache__' and not d.startswith('.')]
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), PROJECT)
                if not path.startswith(NOT_OVERLAID) and not name.endswith(('.pyc', '~', '.swp')):
                    files.append(path)
    return sorted(files)


class WorkTree:
    """A kernel's folder: tree/ (the source that is built) and what describes it."""

    def __init__(self, build: Build, source: Source) -> None:
        self.build = build
        self.source = source
        self.folder = build.folder('kernels', source.name)
        self.tree = os.path.join(self.folder, 'tree')
        self._originals = os.path.join(self.folder, 'originals')
        self._manifest = os.path.join(self.folder, 'manifest.json')
        # What lay() left: the same text for the same files of the kernel.
        self.state = ''
        # Why lay() left the suite out, '' if it is there.
        self.unfit = ''

    def out(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def pristine(self, path: str) -> bytes | None:
        """A file of the source as it was given, None if it has no such file."""
        if self.source.pristine:
            return read(os.path.join(self.source.pristine, path))
        data = read(os.path.join(self._originals, path))
        if data is not None:
            return data
        return None if path in self._laid() else read(os.path.join(self.tree, path))

    def original(self, path: str) -> bytes:
        """pristine() of a file that the source has. Failure without it."""
        data = self.pristine(path)
        if data is None:
            raise Failure(f'Linux {self.source.version} has no {path}')
        return data

    def _laid(self) -> set[str]:
        """Paths that lay() put into the tree the last time."""
        data = read(self._manifest)
        return set(json.loads(data)['overlay']) if data else set()

    def _patched_before(self) -> set[str]:
        data = read(self._manifest)
        return set(json.loads(data)['patched']) if data else set()

    def _save_manifest(self, overlay: Iterable[str], patched: Iterable[str]) -> None:
        data = json.dumps({'overlay': sorted(overlay), 'patched': sorted(patched)}, indent=1)
        write_if_changed(self._manifest, data.encode())

    def patches(self, extra: Collection[str] = ()) -> list[series.Patch]:
        """The rows of patches/series for this kernel."""
        rows = series.load(os.path.join(PROJECT, 'patches'))
        return series.chosen(rows, self.source.key(), extra)

    def lay(self, extra: Collection[str] = (), carried: Series | None = None) -> int:
        """Bring the tree up to date: source, overlay and patches.

        extra: files of patches/ to apply beside those that always are; carried: patches of
        the person's own, over a tree of the person's own.
        Gives the number of files that were written or removed.
        """
        kept.restore(self.folder)
        if moved.settle(self.folder):
            self.build.progress.say('overlay: the build folder was moved; what is built stays')
        overlay = {path: content(os.path.join(PROJECT, path)) for path in overlay_files()}
        patches = self.patches(extra)
        self.unfit = self._unfit(patches, overlay) if self.source.pristine else ''
        if self.unfit:
            overlay = {path: data for path, data in overlay.items() if not path.startswith(SUITE)}
            patches = [patch for patch in patches if patch.kind != 'selftests']
        patched = self._patched(patches, overlay)
        if carried:
            patched.update(self._carried(carried, {**overlay, **patched}))
            overlay = {path: data for path, data in overlay.items() if path not in patched}
        changed = 0
        if self.source.pristine:
            changed += mirror.Mirror(self.source.pristine, self.folder, self.tree).update(
                set(overlay) | set(patched), self.build.progress.say)
        stale = (self._laid() | self._patched_before()) - set(overlay) - set(patched)
        # Written before the files: an interrupted run must not take an overlay
        # file for one of the kernel's.
        self._keep_originals(patched)
        self._save_manifest(set(overlay) | self._laid(), set(patched) | self._patched_before())
        for path in stale:
            changed += self._restore(path)
        for path, data in {**overlay, **patched}.items():
            changed += write_if_changed(os.path.join(self.tree, path), data)
        self._save_manifest(overlay, patched)
        self.state = self._state({**overlay, **patched})
        return changed

    def _state(self, laid: Mapping[str, bytes]) -> str:
        digest = hashlib.sha256(read(os.path.join(self.folder, 'mirror.json')) or b'')
        for path, data in sorted(laid.items()):
            # The kernel's build does not look at these.
            if not path.startswith(('tools/testing/', 'Documentation/')):
                digest.update(f'{path} {len(data)}\n'.encode() + data)
        return digest.hexdigest()

    def _keep_originals(self, patched: Iterable[str]) -> None:
        if self.source.pristine:
            return
        for path in patched:
            original = os.path.join(self._originals, path)
            if not os.path.exists(original):
                write_if_changed(original, content(os.path.join(self.tree, path)))

    def _restore(self, path: str) -> bool:
        """Give back the source's own file, or none."""
        target = os.path.join(self.tree, path)
        data = self.pristine(path)
        if data is not None:
            return write_if_changed(target, data)
        if os.path.exists(target):
            os.unlink(target)
            return True
        return False

    def _unfit(self, patches: Iterable[series.Patch], overlay: Iterable[str]) -> str:
        """Why the suite cannot be built with the selftest library of the tree, '' if it can."""
        wanted = [patch for patch in patches if patch.kind == 'selftests']
        if not wanted:
            return f'Linux {self.source.version} has an older selftest library'
        try:
            self._patched(wanted, [path for path in overlay if path.startswith(SUITE)], True)
        except Failure as e:
            return str(e)
        return ''

    def _patched(self, patches: Iterable[series.Patch], overlay: Collection[str],
                 quiet: bool = False) -> dict[str, bytes]:
        """{path: bytes} of the files that the patches change, patched."""
        files: dict[str, bytes] = {}
        texts = [(p, content(os.path.join(PROJECT, 'patches', p.file))) for p in patches]
        for patch, text in texts:
            for path, creates in series.touched(text.decode(errors='replace')).items():
                if path in overlay or creates:
                    raise Failure(f'patches/{patch.file} creates {path}; '
                                  'new files belong into the overlay')
                data = self.pristine(path)
                if data is None:
                    raise Failure(f'patches/{patch.file}: Linux {self.source.version} '
                                  f'has no {path}')
                files[path] = data
        for path in overlay:
            if self.pristine(path) is not None:
                raise Failure(f'{path} is in the overlay, but Linux {self.source.version} '
                              'has that file: change it by a patch')
        with tempfile.TemporaryDirectory(dir=self.folder, prefix='patching-') as scratch:
            for path, data in files.items():
                write_if_changed(os.path.join(scratch, path), data)
            patcher = patching.Patcher(os.path.join(PROJECT, 'patches'), scratch,
                                       self.build.log('patch'), self.source.version,
                                       (lambda text: None) if quiet else self.build.progress.say)
            for patch in patches:
                patcher.apply(patch)
            return {path: content(os.path.join(scratch, path)) for path in files}

    def _carried(self, carried: Series, over: Mapping[str, bytes]) -> dict[str, bytes]:
        """{path: bytes} of the files that a person's patches change. over: what is laid."""
        applier = Applier(self.source.pristine, f'Linux {self.source.version}',
                          self.out('carried'), base=carried.base, over=over)
        applier.apply(carried.patches)
        for note in applier.notes:
            self.build.progress.say(f'note: {note}')
        gone = [path for path, data in applier.files.items() if data is None]
        if gone:
            raise Failure(f'--with: removes {gone[0]}: such a patch cannot be carried along')
        return {path: data for path, data in applier.files.items() if data is not None}
