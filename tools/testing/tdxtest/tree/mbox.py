# SPDX-License-Identifier: GPL-2.0-only
"""A patch series as mail has it: public-inbox's and b4's mbox, or single patches."""

import dataclasses
import email
import email.errors
import email.header
import email.message
import gzip
import os
import re
import typing
import zlib
from collections.abc import Sequence

from tdxtest.base.failure import UsageError

# All that is in brackets before the subject, such as "[RFC][PATCHv2 1/3] ".
TAGS = re.compile(r'\s*((?:\[[^\]]*\]\s*)+)(.*)', re.DOTALL)
PATCH_TAG = re.compile(r'\b(?:PATCH|RFC)(?:v\d+)?\b', re.IGNORECASE)
VERSION = re.compile(r'(?:\b|PATCH|RFC)v(\d+)\b', re.IGNORECASE)
NUMBER = re.compile(r'\b(\d+)/(\d+)\b')
# Not any line that begins with "From ": changelogs have those.
SEPARATOR = re.compile(rb'^From .*\d\d:\d\d:\d\d.* \d{4}.*\n', re.MULTILINE)
HEADER = re.compile(rb'[!-9;-~]+:')
TEXT_TYPES = ('text/plain', 'text/x-patch', 'text/x-diff')
DIFF = re.compile(rb'^(?:diff --git |--- \S)', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Patch:
    """One patch. number and total: of "[PATCH v2 3/7]", 1 of 1 without."""

    subject: str
    number: int
    total: int
    version: int
    body: bytes

    def unsigned(self) -> bytes:
        """The body without its signature, below which mailing lists add lines."""
        return self.body.partition(b'\n-- \n')[0]

    def label(self) -> str:
        count = f' {self.number}/{self.total}' if self.total > 1 else ''
        return f'[PATCH{count}] {self.subject}'


@dataclasses.dataclass(frozen=True)
class Series:
    """Patches in the order in which they apply. title: of the cover letter, or the patch."""

    title: str
    version: int
    patches: tuple[Patch, ...]


def unfolded(value: typing.Any) -> str:
    """A header as text: decoded if it can be, on one line."""
    try:
        value = email.header.make_header(email.header.decode_header(value or ''))
    except (email.errors.HeaderParseError, LookupError, UnicodeError):
        pass    # left undecoded: the mail may be any mail of a thread
    return ' '.join(str(value).split())


def text_of(message: email.message.Message) -> bytes:
    """The bytes of a message's text and patches, quoted-printable and base64 undone."""
    # A part that can be decoded gives bytes.
    parts = [part.get_payload(decode=True) for part in message.walk()
             if part.get_content_type() in TEXT_TYPES]
    data = b'\n'.join(part if isinstance(part, bytes) else b'' for part in parts)
    return data.replace(b'\r\n', b'\n')


def read_message(message: email.message.Message) -> Patch | None:
    """The Patch in a message, one without a diff for a cover letter, None for others."""
    match = TAGS.match(unfolded(message['Subject']))
    if not match or not PATCH_TAG.search(match[1]):
        return None     # an answer, or no patch at all
    tag, subject = match.groups()
    version, count = VERSION.search(tag), NUMBER.search(tag)
    number, total = map(int, count.groups()) if count else (1, 1)
    body = text_of(message)
    # A cover letter may show what differs from the version before.
    return Patch(subject, number, total, int(version[1]) if version else 1,
                 body if number and DIFF.search(body) else b'')


def unpacked(path: str) -> bytes:
    """The bytes of a file, which may be packed by gzip, with the line ends of a patch."""
    try:
        with open(path, 'rb') as f:
            data = f.read()
        if data.startswith(b'\x1f\x8b'):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as e:
        raise UsageError(f'{path}: {getattr(e, "strerror", None) or e}') from e
    return data.replace(b'\r\n', b'\n')


def read_file(path: str) -> list[Patch]:
    """The Patches of a file, and what is no mail but a diff."""
    data = unpacked(path)
    if SEPARATOR.match(data):
        messages = SEPARATOR.split(data)[1:]
    elif HEADER.match(data):
        messages = [data]
    elif DIFF.search(data):
        return [Patch(os.path.basename(path), 1, 1, 1, data)]
    else:
        raise UsageError(f'{path} holds neither mail nor a diff')
    mails = [email.message_from_bytes(message) for message in messages]
    found = [patch for patch in map(read_message, mails) if patch]
    if found:
        return found
    # Patches whose subjects have no tag, as git am leaves them.
    bare = [(unfolded(message['Subject']), text_of(message)) for message in mails]
    bare = [(subject, body) for subject, body in bare
            if DIFF.search(body) and not subject.lower().startswith('re:')]
    return [Patch(subject or os.path.basename(path), number, len(bare), 1, body)
            for number, (subject, body) in enumerate(bare, 1)]


def newest(path: str, found: Sequence[Patch]) -> list[Patch]:
    """The Patches of the newest of the series that a file holds, in their order.

    UsageError if a patch of it is missing, or it is not clear which ones are meant.
    """
    version = max(patch.version for patch in found)
    found = [patch for patch in found if patch.version == version]
    first = {patch.total: patch for patch in reversed(found)}
    if len(first) > 1:
        raise UsageError(f'{path} holds several series of version {version}: '
                         + '; '.join(first[total].label() for total in sorted(first, reverse=True))
                         + '; give a file of one of them')
    patches: dict[int, Patch] = {}
    for patch in found:
        same = patches.setdefault(patch.number, patch)
        # The same mail may have come by several lists.
        if (same.subject, same.unsigned()) != (patch.subject, patch.unsigned()):
            raise UsageError(f'{path} holds two different patches: {same.label()} and '
                             f'{patch.label()}')
    [total] = first
    missing = sorted(set(range(1, total + 1)) - set(patches))
    if missing:
        raise UsageError(f'{path}: of {total} patches of version {version} there is no '
                         + ', '.join(f'{n}/{total}' for n in missing))
    return [patches[number] for number in sorted(patches)]


def read(paths: Sequence[str]) -> Series:
    """The Series in files: one mbox, or patches in their order."""
    covers, patches = [], []
    for path in paths:
        found = read_file(path)
        held = [patch for patch in found if patch.body]
        covers += [patch for patch in found if not patch.number]
        if not held and all(patch.number for patch in found):
            raise UsageError(f'{path} holds no patch')
        # One patch among other files need not have the rest of its series.
        whole = len(held) > 1 or (held and len(paths) == 1)
        patches += newest(path, held) if whole else held
    if not patches:
        raise UsageError(f'{", ".join(paths)} holds no patch')
    version = patches[0].version
    titles = [cover.subject for cover in covers if cover.version == version]
    return Series((titles or [patches[0].subject])[0], version, tuple(patches))
