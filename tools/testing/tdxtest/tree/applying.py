# SPDX-License-Identifier: GPL-2.0-only
"""Applies patches to the files of a tree that they change, and says why one does not apply.

What the tree has already, and what no kernel is built of, need not apply.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence

from tdxtest.base import command, contents
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure
from tdxtest.tree import diffs
from tdxtest.tree.diffs import FileDiff
from tdxtest.tree.mail import Patch

# What is no part of an x86 kernel.
NOT_BUILT = re.compile(r'(?:Documentation|tools|samples)/|(?:MAINTAINERS|\.mailmap|CREDITS)$|'
                       r'arch/(?!x86/)[^/]+/')
# How many folders before a path a diff may have: "a/" is one, --no-prefix has none.
LEVELS = (1, 0, 2, 3)
# The old path of a file in the head of a diff.
MOVED = re.compile(rb'^diff --git .*\n(?:(?:old mode|new mode|(?:dis)?similarity index) .*\n)*'
                   rb'(?:rename|copy) from (.*)', re.MULTILINE)


def is_built(path: str) -> bool:
    """False for a path that no x86 kernel is made of."""
    return not NOT_BUILT.match(path)


def touched(patch: Patch, numstat: bytes) -> list[str]:
    """Paths that a patch changes, as git apply --numstat -z has them, and moves or copies."""
    # git ignores text in the changelog that looks like a diff.
    changed = [row.split(b'\t', 2)[2] for row in numstat.split(b'\0') if row]
    paths = sorted(os.fsdecode(path) for path in {*changed, *MOVED.findall(patch.body)})
    for path in paths:
        if path.startswith('/') or '..' in path.split('/'):
            raise Failure(f'{patch.label()}: changes {path}: wanted a path below the kernel')
    return paths


def level_of(found: Sequence[FileDiff], tree: str) -> int:
    """How many folders the paths of a diff have before what the tree has."""
    def fits(level: int) -> bool:
        for diff in found:
            # The old file is there; a new one lies in one of the tree's own folders.
            old, *new = diff.paths(level)
            if diff.old == diffs.ABSENT:
                old, new = '', [old]
            for there in (old, *(path.split('/')[0] for path in new)):
                if not os.path.lexists(os.path.join(tree, there)):
                    return False
        return True
    return next(filter(fits, LEVELS), 1)


def blob_hash(data: bytes) -> str:
    """The hash that git gives a file."""
    return hashlib.sha1(b'blob %d\0' % len(data) + data, usedforsecurity=False).hexdigest()


class Conflict(Exception):
    """git does not apply something; the text is its reason."""


class Applier:
    """Files of a tree as patches leave them, in a folder.

    tree: the source; name: what messages call it; folder: for all that this makes; base: what
    the patches say of the tree that they are for; objects: a folder of git's objects, in which
    their own old files may be found, or ''; loose: white space need not be the same; over:
    {path: bytes} of files that are other than in the tree.
    """

    def __init__(self, tree: str, name: str, folder: str, *, base: str = '', objects: str = '',
                 loose: bool = False, over: Mapping[str, bytes] | None = None) -> None:
        self.tree = tree
        self.name = name
        self.folder = folder
        self.base = base
        self.objects = objects
        self.loose = loose
        self._over = over or {}
        self.applied = os.path.join(folder, 'applied')
        self.log = os.path.join(folder, 'review.log')
        # {path: bytes, None for a file that is gone}
        self.files: dict[str, bytes | None] = {}
        self.notes: list[str] = []
        self.already: list[Patch] = []
        self.left_out: list[str] = []
        self._there: set[str] = set()   # files that a patch did not have to change
        self._words: list[str] = []     # options of git apply for the patch at hand

    def apply(self, patches: Iterable[Patch]) -> None:
        """Take the patches in order. Failure names the one that does not apply, and where."""
        shutil.rmtree(self.applied, ignore_errors=True)
        os.makedirs(self.applied)
        for number, patch in enumerate(patches, 1):
            self._take(patch, os.path.join(self.folder, f'{number}.patch'))
        shutil.rmtree(os.path.join(self.applied, '.git'), ignore_errors=True)
        files = {path: contents.read(os.path.join(self.applied, path)) for path in self.files}
        self.files = {path: data for path, data in files.items() if path not in self._there or
                      data != self._original(path)}

    def _take(self, patch: Patch, file: str) -> None:
        found = diffs.parse(patch.body)
        damage = diffs.damage(found)
        text = diffs.repaired(found) if self.loose and damage else patch.body
        if self.loose:
            text = text.replace(diffs.NO_BREAK_SPACE, b' ')
        found = diffs.parse(text)
        write_if_changed(file, text)
        self._words = [f'-p{level_of(found, self.tree)}', '--whitespace=nowarn']
        self._words += ['--ignore-whitespace'] if self.loose else []
        try:
            self._git('--numstat', '-z', file, stdout=f'{file}.numstat')
        except Conflict as e:
            if damage and not self.loose:
                raise Failure(self._damaged(patch, *damage)) from e
            raise Failure(self._refused(patch, str(e))) from e
        paths = touched(patch, contents.content(f'{file}.numstat'))
        for path in paths:
            self._copy(path)
        self._check_bare(patch, found)
        try:
            self._git(file)
        except Conflict:
            self._take_parts(patch, found, file)

    def _original(self, path: str) -> bytes | None:
        """A file as it is before the patches."""
        return self._over.get(path) or contents.read(os.path.join(self.tree, path))

    def _copy(self, path: str) -> None:
        """Put a file of the tree where the patches are applied, unless it is there."""
        if path in self.files:
            return
        data = self._original(path)
        self.files[path] = data
        if data is not None:
            write_if_changed(os.path.join(self.applied, path), data)

    def _git(self, *words: str, stdout: str | None = None) -> None:
        """git apply with the options of the patch at hand. Conflict if it fails."""
        env = {'GIT_CEILING_DIRECTORIES': os.path.dirname(os.path.realpath(self.applied))}
        try:
            command.run(['git', 'apply', *self._words, *words], self.log, cwd=self.applied, env=env,
                        stdout=stdout)
        except Failure as e:
            raise Conflict(command.reason(f'{self.log}.failed')) from e

    def _against(self, text: bytes, *words: str) -> str:
        """Why a diff does not apply, '' if it does; with --reverse, if it is there already."""
        file = os.path.join(self.folder, 'part.patch')
        write_if_changed(file, text)
        try:
            self._git('--check', *words, file)
        except Conflict as e:
            return str(e)
        return ''

    def _check_bare(self, patch: Patch, found: Iterable[FileDiff]) -> None:
        """Let hunks without context apply, but only to the very files that they were made of.

        git would put them anywhere.
        """
        level = int(self._words[0][2:])
        bare = [diff for diff in found if diff.is_edit() and
                any(hunk.without_context() for hunk in diff.hunks)]
        for diff in bare:
            path = diff.paths(level)[-1]
            data = contents.read(os.path.join(self.applied, path)) or b''
            if not data or (diff.blob() and blob_hash(data).startswith(diff.blob())):
                continue
            lines = data.split(b'\n')
            removed = [row for hunk in diff.hunks if hunk.without_context()
                       for row in hunk.removed()]
            other = next((number for number, text in removed
                          if lines[number - 1:number] != [text]), 0)
            if other or not removed:
                where = f'{path}:{other}' if other else path
                raise Failure(f'{patch.label()}: has no context (-U0) and was not made of the '
                              f'{where} of {self.name}{self._base_said()}')
        if bare:
            self._words.append('--unidiff-zero')

    def _take_parts(self, patch: Patch, found: Sequence[FileDiff], file: str) -> None:
        """Apply the files of a patch one by one; what may be left out is noted."""
        level = int(self._words[0][2:])
        groups: dict[tuple[str, ...], list[FileDiff]] = {}
        for diff in found:
            groups.setdefault(tuple(sorted(set(diff.paths(level)))), []).append(diff)
        before = {path: contents.read(os.path.join(self.applied, path)) for path in self.files}
        there: list[str] = []
        partly: list[str] = []
        left_out: list[str] = []
        worked = 0
        for paths, group in groups.items():
            text = b''.join(diff.text() for diff in group)
            why = self._against(text)
            if not why:
                self._git(os.path.join(self.folder, 'part.patch'))
                worked += 1
            elif not self._against(text, '--reverse'):
                there += paths
            elif self._some_hunks(group):
                worked += 1
                partly += paths
            elif not any(map(is_built, paths)):
                left_out += paths
            else:
                self._restore(before)
                if not self._merged(patch, file, before):
                    raise Failure(self._explained(patch, group, why))
                return
        if partly:
            self.notes.append(f'{patch.label()}: already in {self.name}: a part of '
                              f'{", ".join(partly)}')
        self._note(patch, there, left_out, not worked and not left_out)

    def _restore(self, before: Mapping[str, bytes | None]) -> None:
        for path, data in before.items():
            target = os.path.join(self.applied, path)
            if data is not None:
                write_if_changed(target, data)
            elif os.path.exists(target):
                os.unlink(target)

    def _some_hunks(self, group: Iterable[FileDiff]) -> bool:
        """Apply the hunks that are not there already. False, and nothing done, if one does not."""
        before = {path: contents.read(os.path.join(self.applied, path)) for path in self.files}
        for diff in group:
            for hunk in diff.hunks if diff.is_edit() else ():
                text = diff.text([hunk])
                if not self._against(text):
                    self._git(os.path.join(self.folder, 'part.patch'))
                elif self._against(text, '--reverse'):
                    self._restore(before)
                    return False
            if not diff.is_edit():
                self._restore(before)
                return False
        return True

    def _note(self, patch: Patch, there: Sequence[str], left_out: Sequence[str],
              whole: bool) -> None:
        self._there.update(there)
        # What a patch before it did is not what the tree has.
        own = any(contents.read(os.path.join(self.applied, path)) != self._original(path)
                  for path in there)
        where = 'done by a patch before it' if own else f'already in {self.name}'
        if whole and not own:
            self.already.append(patch)
        if there:
            told = '' if whole else f': {", ".join(there)}'
            self.notes.append(f'{patch.label()}: {where}{told}')
        self.left_out += left_out
        if left_out:
            self.notes.append(f'{patch.label()}: does not apply to {", ".join(left_out)}, which '
                              'no x86 kernel is made of; left out')
            for path in left_out:
                self.files.pop(path, None)

    def _merged(self, patch: Patch, file: str, before: Mapping[str, bytes | None]) -> bool:
        """Merge a patch from the files that it was made of, if git's objects have them."""
        if not self.objects:
            return False
        folder = os.path.join(self.applied, '.git')
        git = ['git', '-c', 'core.autocrlf=false', '-C', self.applied]
        try:
            if not os.path.exists(folder):
                command.run([*git, 'init', '-q'], self.log)
                write_if_changed(os.path.join(folder, 'objects/info/alternates'),
                                 f'{self.objects}\n'.encode())
            command.run([*git, 'add', '-A', '-f', '.'], self.log)
            command.run([*git, 'apply', *self._words, '--3way', file], self.log)
        except Failure:
            self._restore(before)
            return False
        self.notes.append(f'{patch.label()}: merged from the files that it was made of')
        return True

    def _base_said(self) -> str:
        return f'; the series is for {self.base}' if self.base else ''

    def _refused(self, patch: Patch, why: str) -> str:
        return f'{patch.label()}: does not apply to {self.name}: {why}{self._base_said()}'

    def _damaged(self, patch: Patch, line: int, what: str) -> str:
        return (f'{patch.label()}: white space is damaged: {patch.place(line)}: {what}; '
                'to apply it all the same give --ignore-whitespace')

    def _explained(self, patch: Patch, group: Sequence[FileDiff], why: str) -> str:
        """Why a patch does not apply: because of white space, or as git says it."""
        level = int(self._words[0][2:])
        for diff in () if self.loose else group:
            old = contents.read(os.path.join(self.applied, diff.paths(level)[-1])) or b''
            other = diffs.first_other(diff, old)
            if other:
                line, number, got, wanted = other
                path = diff.paths(level)[-1]
                return self._damaged(patch, line,
                                     f'wanted {shown(wanted)} as in {path}:{number}, '
                                     f'got {shown(got)}')
        return self._refused(patch, why)


def shown(line: bytes) -> str:
    """A line in quotes, with white space that can be seen."""
    return repr(line.decode(errors='replace'))
