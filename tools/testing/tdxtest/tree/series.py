# SPDX-License-Identifier: GPL-2.0-only
"""patches/series: which patch goes onto which kernel."""

import dataclasses
import os
import re
import typing
from collections.abc import Collection, Iterable, Sequence

from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import PROJECT

# Kinds that are always applied, in the order of the table; others on request.
ALWAYS = ('seam', 'selftests')
KINDS = ALWAYS + ('machine', 'fix', 'abi', 'mutant')
Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """ "7.3.4" -> (7, 3, 4); "7.2-rc1" -> (7, 2)."""
    match = re.match(r'\d+(\.\d+)*', text)
    if not match:
        raise ValueError(f'no version: {text!r}')
    return tuple(int(n) for n in match.group().split('.'))


@dataclasses.dataclass(frozen=True)
class Range:
    """A half-open range of kernel versions, "[6.16,)" or "[7.2,7.4)"."""

    since: Version
    until: Version      # () has no end

    @classmethod
    def parse(cls, text: str) -> typing.Self:
        match = re.fullmatch(r'\[(\d+(?:\.\d+)*),(\d+(?:\.\d+)*)?\)', text)
        if not match:
            raise ValueError(f'range {text!r} is not like [6.16,) or [7.2,7.4)')
        since = parse_version(match[1])
        until = parse_version(match[2]) if match[2] else ()
        if until and until <= since:
            raise ValueError(f'range {text!r} is empty')
        return cls(since, until)

    def holds(self, version: Version) -> bool:
        return self.since <= version and (not self.until or version < self.until)


@dataclasses.dataclass(frozen=True)
class Patch:
    """A row of the table."""

    file: str           # relative to patches/
    kernels: Range
    kind: str
    upstream: str       # 12 digits of a commit, or '-'
    why: str


def load(folder: str) -> list[Patch]:
    """The rows of folder/series, in order. Failure names the line that is wrong."""
    path = os.path.join(folder, 'series')
    rows: list[Patch] = []
    try:
        with open(path, encoding='utf-8') as f:
            lines = list(enumerate(f, 1))
    except FileNotFoundError:
        return rows
    for number, line in lines:
        words = line.split(None, 4)
        if not words or words[0].startswith('#'):
            continue
        try:
            rows.append(parse_row(words, folder))
        except ValueError as e:
            raise Failure(f'patches/series:{number}: {e}') from e
    return rows


def parse_row(words: Sequence[str], folder: str) -> Patch:
    if len(words) < 5:
        raise ValueError('wanted file, kernels, kind, upstream, why; '
                         f'got {len(words)} column(s)')
    file, kernels, kind, upstream, why = words
    if kind not in KINDS:
        raise ValueError(f'kind {kind!r} is none of {", ".join(KINDS)}')
    if upstream != '-' and not re.fullmatch(r'[0-9a-f]{12}', upstream):
        raise ValueError(f'upstream {upstream!r} is neither 12 hex digits nor -')
    span = Range.parse(kernels)
    if not os.path.isfile(os.path.join(folder, file)):
        raise ValueError(f'{file} does not exist')
    return Patch(file, span, kind, upstream, why.strip())


def chosen(rows: Iterable[Patch], version: Version, extra: Collection[str] = ()) -> list[Patch]:
    """The patches for a kernel version, and those of `extra` (file names)."""
    return [p for p in rows if p.kernels.holds(version)
            and (p.kind in ALWAYS or p.file in extra)]


def requested(names: Iterable[str]) -> tuple[str, ...]:
    """The files of rows that a person asks for, in the order of the table.

    names: files, "fixes/0003" for the only file that begins so, "fixes/all" for all of
    a folder. UsageError for one that names no row that is applied on request.
    """
    on_request = [p.file for p in load(os.path.join(PROJECT, 'patches'))
                  if p.kind not in ALWAYS]
    wanted = set()
    for name in names:
        folder, _, word = name.partition('/')
        found = [file for file in on_request
                 if file == name or file.startswith(f'{folder}/' if word == 'all' else f'{name}-')]
        if not found:
            raise UsageError(f'--patch {name}: not a patch on request; there are: '
                             + ', '.join(on_request))
        wanted.update(found)
    return tuple(file for file in on_request if file in wanted)


def touched(patch_text: str) -> dict[str, bool]:
    """The files that a patch changes: {path: True if it creates the file}."""
    files = {}
    old = None
    for number, line in enumerate(patch_text.splitlines(), 1):
        if line.startswith('--- '):
            old = line[4:].split('\t')[0].strip()
        elif line.startswith('+++ ') and old is not None:
            new = line[4:].split('\t')[0].strip()
            name = old if new == '/dev/null' else new
            if '/' not in name:
                raise Failure(f'line {number} of a patch: wanted a path like a/{name} or '
                              f'b/{name}, got {name}')
            files[name.split('/', 1)[1]] = old == '/dev/null'
            old = None
    return files
