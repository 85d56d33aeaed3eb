# SPDX-License-Identifier: GPL-2.0-only
"""Takes a unified diff apart, also one that mail programs damaged."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence

HUNK = re.compile(rb'@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@')
GIT_HEAD = re.compile(rb'diff --git (.*)')
INDEX = re.compile(rb'^index ([0-9a-f]{7,40})\.\.', re.MULTILINE)
# Lines after which no hunk goes on.
NEXT = re.compile(rb'diff --git |@@ -|--- \S|Index: |-- $|--$')
NO_BREAK_SPACE = '\u00a0'.encode()
BLANKS = re.compile(rb'(?:\s|\xc2\xa0)+')
ABSENT = b'/dev/null'


@dataclasses.dataclass
class Hunk:
    """A hunk. line: where it begins in the text; start: its first line in the old file.

    damaged: [(line of the text, what is wrong with it)]; wrapped: a line was broken in two.
    """

    line: int
    start: int
    counts: tuple[int, int]
    head: bytes
    lines: list[bytes] = dataclasses.field(default_factory=list)
    damaged: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    wrapped: bool = False

    def old(self) -> Iterator[tuple[int, bytes]]:
        """(line of the text, bytes) of each line that the old file has."""
        for number, text in enumerate(self.lines, self.line + 1):
            if not text.startswith((b'+', b'\\')):
                yield number, text[1:]

    def removed(self) -> Iterator[tuple[int, bytes]]:
        """(line of the old file, bytes) of each line that is removed. Without context only."""
        texts = [text[1:] for text in self.lines if text.startswith(b'-')]
        return enumerate(texts, self.start)

    def without_context(self) -> bool:
        return all(text.startswith((b'+', b'-', b'\\')) for text in self.lines)

    def text(self) -> bytes:
        return b'\n'.join([self.head, *self.lines]) + b'\n'


@dataclasses.dataclass
class FileDiff:
    """What a diff does to one file. old, new: the paths as they stand in it."""

    line: int
    head: list[bytes]
    old: bytes = b''
    new: bytes = b''
    hunks: list[Hunk] = dataclasses.field(default_factory=list)

    def text(self, hunks: Iterable[Hunk] | None = None) -> bytes:
        """As a diff of its own, with some of its hunks."""
        head = b'\n'.join(self.head) + b'\n'
        return head + b''.join(hunk.text() for hunk in (self.hunks if hunks is None else hunks))

    def paths(self, level: int) -> list[str]:
        """The paths in the tree, without their first `level` folders."""
        found = [path for path in (self.old, self.new) if path and path != ABSENT]
        return [path.split(b'/', level)[-1].decode(errors='surrogateescape') for path in found]

    def is_edit(self) -> bool:
        """True if it changes lines of a file that stays where it is."""
        return bool(self.hunks) and ABSENT not in (self.old, self.new) and not any(
            line.startswith((b'rename ', b'copy ', b'new file', b'deleted ')) for line in self.head)

    def blob(self) -> str:
        """The beginning of the hash that git gives the old file, '' if it is not there."""
        match = INDEX.search(b'\n'.join(self.head))
        return match[1].decode() if match else ''


def name_of(line: bytes) -> bytes:
    """The path in a line that begins with --- or +++."""
    return line[4:].split(b'\t')[0].strip()


def git_names(words: bytes) -> tuple[bytes, bytes]:
    """The two paths after "diff --git". They have the same length unless a file is renamed."""
    middle = len(words) // 2
    if words[middle:middle + 1] == b' ':
        return words[:middle], words[middle + 1:]
    old, _, new = words.partition(b' ')
    return old, new


def parse(text: bytes) -> list[FileDiff]:
    """The FileDiffs of a text; what is none of a diff is left out."""
    lines = text.split(b'\n')
    found: list[FileDiff] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        after = lines[at + 1] if at + 1 < len(lines) else b''
        match = GIT_HEAD.match(line)
        if match:
            found.append(FileDiff(at + 1, [line], *git_names(match[1])))
        elif line.startswith(b'--- ') and after.startswith(b'+++ '):
            if not found or found[-1].hunks or not GIT_HEAD.match(found[-1].head[0]):
                found.append(FileDiff(at + 1, []))
            found[-1].old, found[-1].new = name_of(line), name_of(after)
            found[-1].head += [line, after]
            at += 1
        elif found and HUNK.match(line):
            hunk = parse_hunk(lines, at)
            found[-1].hunks.append(hunk)
            at = end_of(lines, hunk, at)
        elif found and not found[-1].hunks and GIT_HEAD.match(found[-1].head[0]):
            found[-1].head.append(line)
        at += 1
    return [diff for diff in found if diff.hunks or len(diff.head) > 1]


def end_of(lines: Sequence[bytes], hunk: Hunk, at: int) -> int:
    """The index of the last line of a hunk that begins at `at`."""
    if not hunk.wrapped:
        return at + len(hunk.lines)
    return at + sum(1 for _ in body(lines, at))


def body(lines: Sequence[bytes], at: int) -> Iterator[bytes]:
    """The lines after the head of a hunk, up to what cannot belong to it."""
    for line in lines[at + 1:]:
        if NEXT.match(line):
            return
        yield line


def parse_hunk(lines: Sequence[bytes], at: int) -> Hunk:
    """The Hunk whose head is lines[at], with damage undone and told."""
    match = HUNK.match(lines[at])
    assert match
    counts = tuple(int(count) if count is not None else 1 for count in (match[2], match[4]))
    hunk = Hunk(at + 1, int(match[1]), (counts[0], counts[1]), lines[at])
    left = take(hunk, lines, at)
    rest = lines[at + 1 + len(hunk.lines):at + 2 + len(hunk.lines)]
    more = any(line[:1] in (b' ', b'+', b'-') and not NEXT.match(line) for line in rest)
    if hunk.damaged and (left or more or is_wrapped(hunk, lines, at)):
        unwrap(hunk, lines, at)
    return hunk


def is_wrapped(hunk: Hunk, lines: Sequence[bytes], at: int) -> bool:
    """True if the lines that begin as no line of a hunk does are too many for it."""
    whole = [line for line in body(lines, at) if line[:1] in (b' ', b'+', b'-')]
    old = sum(not line.startswith(b'+') for line in whole)
    new = sum(not line.startswith(b'-') for line in whole)
    return (old, new) == hunk.counts


def take(hunk: Hunk, lines: Sequence[bytes], at: int) -> bool:
    """Fill a hunk by its counts; True if lines are missing. A lost first blank is put back."""
    old, new = hunk.counts
    for number, line in enumerate(lines[at + 1:], at + 2):
        if line.startswith(b'\\'):
            hunk.lines.append(line)
            continue
        if old <= 0 and new <= 0:
            return False
        if line.startswith((b'diff --git ', b'@@ -')):
            return True
        if line and line[:1] not in (b' ', b'+', b'-'):
            hunk.damaged.append((number, 'the blank at its start is lost'))
            line = b' ' + line
        old -= not line.startswith(b'+')
        new -= not line.startswith(b'-')
        hunk.lines.append(line or b' ')
    return old > 0 or new > 0


def unwrap(hunk: Hunk, lines: Sequence[bytes], at: int) -> None:
    """Join lines that a mail program broke in two."""
    hunk.lines, hunk.damaged, hunk.wrapped = [], [], True
    for number, line in enumerate(body(lines, at), at + 2):
        if hunk.lines and line and line[:1] not in (b' ', b'+', b'-', b'\\'):
            hunk.damaged.append((number, 'a long line was broken before it'))
            hunk.lines[-1] += b' ' + line
        else:
            hunk.lines.append(line or b' ')
    while hunk.lines and not hunk.lines[-1].strip():
        hunk.lines.pop()


def squeezed(line: bytes) -> bytes:
    """A line whose white space does not count."""
    return BLANKS.sub(b' ', line).strip()


def repaired(found: Iterable[FileDiff]) -> bytes:
    """The diff with first blanks and broken lines put right, and no blank that is not one."""
    return b''.join(diff.text() for diff in found).replace(NO_BREAK_SPACE, b' ')


def damage(found: Iterable[FileDiff]) -> tuple[int, str] | None:
    """(line of the text, what is wrong) of the first line that is none of a hunk."""
    return next((place for diff in found for hunk in diff.hunks for place in hunk.damaged), None)


def first_other(diff: FileDiff, old: bytes) -> tuple[int, int, bytes, bytes] | None:
    """The first line of a diff that a file has with other white space.

    (line of the text, line of the file, the line in the diff, the line in the file); None if
    it has the lines in no place.
    """
    have = old.split(b'\n')
    loose = [squeezed(line) for line in have]
    for hunk in diff.hunks:
        wanted = list(hunk.old())
        keys = [squeezed(text) for _, text in wanted]
        places = [at for at in range(len(loose) - len(keys) + 1)
                  if loose[at:at + len(keys)] == keys]
        if not places:
            return None
        place = min(places, key=[abs(at + 1 - hunk.start) for at in range(len(loose))].__getitem__)
        for offset, (number, text) in enumerate(wanted):
            if have[place + offset] != text:
                return number, place + offset + 1, text, have[place + offset]
    return None
