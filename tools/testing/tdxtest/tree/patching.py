# SPDX-License-Identifier: GPL-2.0-only
"""Applies patches of the project to files of a kernel.

A patch that only adds lines does not need its context: patches/insertions says where its
lines go in a file that has changed.
"""

import os
import re
from collections.abc import Callable

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.tree import series

END = 'end'


def load_insertions(patches: str) -> dict[str, str]:
    """{file of the kernel: place}, as the file insertions of the folder `patches` has them."""
    places: dict[str, str] = {}
    try:
        with open(os.path.join(patches, 'insertions'), encoding='utf-8') as f:
            rows = [line.split(None, 1) for line in f if line.strip() and line[0] != '#']
    except FileNotFoundError:
        return places
    for row in rows:
        place = row[1].strip() if row[1:] else ''
        if place != END and not place.startswith('before '):
            raise Failure(f'patches/insertions: {row[0]}: wanted end or before REGEX, got {place}')
        places[row[0]] = place
    return places


def added(text: str) -> dict[str, list[list[str]]] | None:
    """{file: [lines of each hunk]} of a patch that only adds lines, None for any other."""
    files: dict[str, list[list[str]]] = {}
    path = ''
    for line in text.splitlines():
        if line == '-- ':
            break
        if line.startswith('+++ '):
            path = line.split('/', 1)[1]
            files[path] = []
        elif line.startswith('@@ ') and path:
            files[path].append([])
        elif path and files[path] and line.startswith('+'):
            files[path][-1].append(line[1:])
        elif path and files[path] and line.startswith('-'):
            return None
        elif line.startswith('diff --git'):
            path = ''
    return files


def inserted(data: str, hunks: list[list[str]], place: str) -> str | None:
    """A file with lines of a patch at `place`, None where the file has no such place."""
    lines = data.splitlines()
    new = [line for hunk in hunks for line in hunk]
    while new and not new[0].strip():
        new.pop(0)
    while new and not new[-1].strip():
        new.pop()
    if all(line in lines for line in new if line.strip()):
        return data
    if place == END:
        at = len(lines)
        new = (['', *new] if lines and lines[-1].strip() else new)
    else:
        pattern = re.compile(place.removeprefix('before '))
        found = [number for number, line in enumerate(lines) if pattern.search(line)]
        if not found:
            return None
        at = found[0]
        new = [*new, '']
    return '\n'.join([*lines[:at], *new, *lines[at:]]) + '\n'


class Patcher:
    """Applies rows of patches/series in a folder that holds the files that they change.

    patches: the folder of the patches; version: of the kernel; say: takes notes.
    """

    def __init__(self, patches: str, folder: str, log: str, version: str,
                 say: Callable[[str], None]) -> None:
        self.patches = patches
        self.places = load_insertions(patches)
        self.folder = folder
        self.log = log
        self.version = version
        self.say = say
        # git must not find the repository that the build folder lies in.
        self.env = {'GIT_CEILING_DIRECTORIES': os.path.dirname(os.path.realpath(folder))}

    def apply(self, patch: series.Patch) -> None:
        """Apply a patch, if the files do not have it already. Failure says what does not, why."""
        file = os.path.join(self.patches, patch.file)
        try:
            self._git_apply(file)
            return
        except Failure as e:
            why = command.reason(f'{self.log}.failed')
            try:
                self._git_apply('--reverse', '--check', file)
                self.say(f'note: patches/{patch.file} is in this kernel already')
                return
            except Failure:
                if self._insert(file):
                    self.say(f'note: patches/{patch.file} does not apply to Linux '
                             f'{self.version}; its lines are inserted where '
                             'patches/insertions says')
                    return
                raise Failure(f'patches/{patch.file} does not apply to Linux '
                              f'{self.version}: {why}') from e

    def _git_apply(self, *words: str) -> None:
        command.run(['git', 'apply', *words], self.log, cwd=self.folder, env=self.env)

    def _insert(self, file: str) -> bool:
        """Insert the lines of a patch by rule; False where no rule fits."""
        with open(file, encoding='utf-8') as f:
            files = added(f.read())
        if files is None or not set(files) <= set(self.places):
            return False
        texts = {}
        for path, hunks in files.items():
            with open(os.path.join(self.folder, path), encoding='utf-8') as f:
                text = inserted(f.read(), hunks, self.places[path])
            if text is None:
                return False
            texts[path] = text
        for path, text in texts.items():
            write_if_changed(os.path.join(self.folder, path), text.encode())
        return True
