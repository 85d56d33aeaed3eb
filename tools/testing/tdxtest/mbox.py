# SPDX-License-Identifier: GPL-2.0-only
"""A patch series as mail has it: public-inbox's and b4's mbox, or single patches."""

import dataclasses
import email
import email.header
import mailbox
import os
import re

from failure import UsageError

# All that is in brackets before the subject, such as "[RFC][PATCHv2 1/3] ".
TAGS = re.compile(r'\s*((?:\[[^\]]*\]\s*)+)(.*)', re.DOTALL)
PATCH_TAG = re.compile(r'\b(?:PATCH|RFC)(?:v\d+)?\b', re.IGNORECASE)
VERSION = re.compile(r'(?:\b|PATCH|RFC)v(\d+)\b', re.IGNORECASE)
NUMBER = re.compile(r'\b(\d+)/(\d+)\b')
DIFF = re.compile(rb'^(?:diff --git |--- \S)', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Patch:
    """One patch. number and total: of "[PATCH v2 3/7]", 1 of 1 without."""

    subject: str
    number: int
    total: int
    version: int
    body: bytes

    def label(self):
        count = f' {self.number}/{self.total}' if self.total > 1 else ''
        return f'[PATCH{count}] {self.subject}'


@dataclasses.dataclass(frozen=True)
class Series:
    """Patches in the order in which they apply. title: of the cover letter, or the patch."""

    title: str
    version: int
    patches: tuple


def unfolded(value):
    """A header as text: decoded, on one line."""
    return ' '.join(str(email.header.make_header(email.header.decode_header(value or ''))).split())


def text_of(message):
    """The bytes of all text of a message, quoted-printable and base64 undone."""
    parts = [part.get_payload(decode=True) or b'' for part in message.walk()
             if part.get_content_maintype() == 'text']
    return b'\n'.join(parts).replace(b'\r\n', b'\n')


def read_message(message):
    """The Patch in a message, one without a diff for a cover letter, None for others."""
    match = TAGS.match(unfolded(message['Subject']))
    if not match or not PATCH_TAG.search(match[1]):
        return None     # an answer, or no patch at all
    tag, subject = match.groups()
    version, number = VERSION.search(tag), NUMBER.search(tag)
    body = text_of(message)
    return Patch(subject, int(number[1]) if number else 1, int(number[2]) if number else 1,
                 int(version[1]) if version else 1, body if DIFF.search(body) else b'')


def read_file(path):
    """The Patches of a file, and what is no mail but a diff."""
    try:
        with open(path, 'rb') as f:
            data = f.read()
    except OSError as e:
        raise UsageError(f'{path}: {e.strerror}') from e
    if not data.startswith((b'From ', b'From:', b'Return-Path:', b'Date:', b'Subject:',
                            b'Message-', b'Received:', b'Delivered-')):
        if not DIFF.search(data):
            raise UsageError(f'{path} holds neither mail nor a diff')
        return [Patch(os.path.basename(path), 1, 1, 1, data)]
    if data.startswith(b'From '):
        box = mailbox.mbox(path, create=False)
        messages = list(box)
        box.close()
    else:
        messages = [email.message_from_bytes(data)]
    found = [patch for patch in map(read_message, messages) if patch]
    if any(patch.body for patch in found):
        return found
    # Patches whose subjects have no tag, as git am leaves them.
    bare = [(unfolded(message['Subject']), text_of(message)) for message in messages]
    bare = [(subject, body) for subject, body in bare
            if DIFF.search(body) and not subject.lower().startswith('re:')]
    return found + [Patch(subject, number, len(bare), 1, body)
                    for number, (subject, body) in enumerate(bare, 1)]


def read(paths):
    """The Series in files: one mbox, or patches in their order.

    Of several versions the newest is taken. UsageError when a patch is missing.
    """
    if len(paths) > 1:
        single = [patch for path in paths for patch in read_file(path) if patch.body]
        if not single:
            raise UsageError('none of the files holds a patch')
        return Series(single[0].subject, single[0].version, tuple(single))
    found = read_file(paths[0])
    if not any(patch.body for patch in found):
        raise UsageError(f'{paths[0]} holds no patch')
    version = max(patch.version for patch in found if patch.body)
    found = [patch for patch in found if patch.version == version]
    cover = [patch.subject for patch in found if patch.number == 0]
    # The same mail may have come by several lists.
    patches = {patch.number: patch for patch in reversed(found) if patch.body and patch.number}
    total = max(patch.total for patch in patches.values())
    missing = sorted(set(range(1, total + 1)) - set(patches))
    if missing:
        raise UsageError(f'{paths[0]}: of {total} patches of version {version} there is no '
                         + ', '.join(f'{n}/{total}' for n in missing))
    ordered = tuple(patches[number] for number in sorted(patches))
    return Series(cover[0] if cover else ordered[0].subject, version, ordered)
