# SPDX-License-Identifier: GPL-2.0-only
"""The patches in mail: tagged ones, answers that hold a diff, and attachments."""

import dataclasses
import email
import email.errors
import email.header
import email.message
import os
import re
import typing
from collections.abc import Iterable, Iterator

from tdxtest.base import given
from tdxtest.base.failure import UsageError

# All that is in brackets before the subject, such as "[RFC][PATCHv2 1/3] ".
TAGS = re.compile(r'\s*((?:\[[^\]]*\]\s*)+)(.*)', re.DOTALL)
PATCH_TAG = re.compile(r'\b(?:PATCH|RFC)(?:v\d+)?\b', re.IGNORECASE)
VERSION = re.compile(r'(?:\b|PATCH|RFC)v(\d+)\b', re.IGNORECASE)
NUMBER = re.compile(r'\b(\d+)/(\d+)\b')
# How mail programs mark an answer, and a mail that is passed on.
ANSWER = re.compile(r'(?:re|aw|sv|antw)(?:\[\d+\])?:\s*', re.IGNORECASE)
FORWARD = re.compile(r'(?:fwd?|wg)(?:\[\d+\])?:\s*', re.IGNORECASE)
# Not any line that begins with "From ": changelogs have those.
SEPARATOR = re.compile(rb'^From .*\d\d:\d\d:\d\d.* \d{4}.*\n', re.MULTILINE)
HEADER = re.compile(rb'[!-9;-~]+:')
SUBJECT = re.compile(rb'^Subject:', re.MULTILINE | re.IGNORECASE)
DIFF = re.compile(rb'^(?:diff --git \S|--- \S.*\n\+\+\+ \S)', re.MULTILINE)
HTML_DIFF = re.compile(rb'diff --git |@@ -\d+')
# "-- >8 --": what stands above it is for the readers of a mail, not for the commit.
SCISSORS = re.compile(rb'^[ \t]*(?:-+[- \t]*(?:>8|8<|>%|%<)|(?:>8|8<|>%|%<)[ \t]*--)[^\n]*\n',
                      re.MULTILINE)
# Headers at the start of a text, which say what the commit has instead of those of the mail.
IN_BODY = re.compile(rb'(?:[ \t]*\n)*((?:(?:From|Date|Subject|To|Cc|Message-ID|In-Reply-To):'
                     rb'[^\n]*\n(?:[ \t]+\S[^\n]*\n)*)+)[ \t]*\n', re.IGNORECASE)
# What some mail programs mark the last line of a paragraph with, and how a signature begins.
SOFT_BREAK = re.compile(rb'(?<!\n--) \n')


@dataclasses.dataclass(frozen=True)
class Patch:
    """One patch. number and total: of "[PATCH v2 3/7]", 1 of 1 without.

    origin: the file that it came from; line: the line of that file at which the body begins,
    0 if the body does not stand there as it is; text: of the mail, with what is not the patch;
    mail_subject, sender, message_id: of the mail as they are.
    """

    subject: str
    number: int
    total: int
    version: int
    body: bytes
    origin: str = ''
    line: int = 0
    message_id: str = ''
    text: bytes = b''
    mail_subject: str = ''
    sender: str = ''

    def unsigned(self) -> bytes:
        """The body without its signature, below which mailing lists add lines."""
        return self.body.partition(b'\n-- \n')[0]

    def label(self) -> str:
        count = f' {self.number}/{self.total}' if self.total > 1 else ''
        return f'[PATCH{count}] {self.subject}'

    def place(self, line: int) -> str:
        """Where line `line` of the body stands, for a message."""
        return f'{self.origin}:{self.line + line - 1}' if self.line else f'line {line} of its text'


def unfolded(value: typing.Any) -> str:
    """A header as text: decoded if it can be, on one line."""
    try:
        value = email.header.make_header(email.header.decode_header(value or ''))
    except (email.errors.HeaderParseError, LookupError, UnicodeError):
        pass    # left undecoded: the mail may be any mail of a thread
    return ' '.join(str(value).split())


def flowed(part: email.message.Message, data: bytes) -> bytes:
    """A text with what "format=flowed" did to its lines undone."""
    if str(part.get_param('format', '')).lower() != 'flowed':
        return data
    glue = b'' if str(part.get_param('delsp', '')).lower() == 'yes' else b' '
    return re.sub(rb'^ ', b'', SOFT_BREAK.sub(glue, data), flags=re.MULTILINE)


def leaf(part: email.message.Message) -> bytes:
    """The bytes of a part, with its encoding undone, in UTF-8 and with the line ends of Unix."""
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return b''
    try:
        data = given.unpacked(data)
    except OSError:
        return b''
    charset = str(part.get_param('charset', 'utf-8')).lower()
    if part.get_content_maintype() == 'text' and charset not in ('utf-8', 'us-ascii'):
        try:
            data = data.decode(charset).encode()
        except (LookupError, UnicodeError):
            pass    # its diff may be ASCII
    return flowed(part, data.replace(b'\r\n', b'\n'))


def leaves(message: email.message.Message) -> Iterator[tuple[email.message.Message, bytes]]:
    """(part, bytes) of the text of a mail, and of each attachment of it that holds a diff."""
    for part in message.walk():
        if part.is_multipart() or part.get_content_type() == 'text/html':
            continue
        data = leaf(part)
        if part.get_content_type() == 'text/plain' or DIFF.search(data):
            yield part, data


def is_mail(part: email.message.Message, data: bytes) -> bool:
    """True for an attachment that is a mail of its own, as git format-patch writes one."""
    apart = part.get_filename() or part.get_content_type() != 'text/plain'
    return bool(apart and DIFF.search(data) and
                (SEPARATOR.match(data) or (HEADER.match(data) and SUBJECT.search(data))))


def text_of(message: email.message.Message) -> bytes:
    """The bytes of a message's text and patches."""
    return b'\n'.join(data for part, data in leaves(message) if not is_mail(part, data))


def cut(body: bytes) -> tuple[str, bytes]:
    """(subject, text) of what stands below the scissors of a body.

    The subject is '' where there are no scissors above the diff, or no subject below them.
    """
    diff = DIFF.search(body)
    marks = list(SCISSORS.finditer(body, 0, diff.start() if diff else 0))
    if not marks:
        return '', body
    below = body[marks[-1].end():]
    headers = IN_BODY.match(below)
    subject = ''
    if headers:
        subject = unfolded(email.message_from_bytes(headers[1])['Subject'])
        below = below[headers.end():]
    match = TAGS.match(subject)
    return match[2] if match else subject, below


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a mail stands: its file, its bytes as they are there, and the lines above them."""

    origin: str = ''
    raw: bytes = b''
    above: int = 0

    def line_of(self, text: bytes) -> int:
        """The line of the file at which a text begins, 0 if it does not stand there as it is."""
        start = self.raw.find(text) if text else -1
        return self.above + self.raw.count(b'\n', 0, start) + 1 if start >= 0 else 0


def make_patch(message: email.message.Message, subject: str, tag: str, place: Place) -> Patch:
    """The Patch of a mail; without a body if there is no diff, or for a cover letter."""
    version, count = VERSION.search(tag), NUMBER.search(tag)
    number, total = map(int, count.groups()) if count else (1, 1)
    text = text_of(message)
    below, body = cut(text)
    # A cover letter may show what differs from the version before.
    body = body if number and DIFF.search(body) else b''
    return Patch(below or subject, number, total, int(version[1]) if version else 1, body,
                 place.origin, place.line_of(body), unfolded(message['Message-ID']), text,
                 unfolded(message['Subject']), unfolded(message['From']))


def subject_of(message: email.message.Message) -> str:
    return FORWARD.sub('', unfolded(message['Subject']), count=1)


def read_message(message: email.message.Message, place: Place = Place()) -> Patch | None:
    """The Patch in a message, one without a diff for a cover letter, None for others."""
    match = TAGS.match(subject_of(message))
    if not match or not PATCH_TAG.search(match[1]):
        return None     # an answer, or no patch at all
    return make_patch(message, match[2], match[1], place)


def read_untagged(message: email.message.Message, place: Place) -> Patch:
    """The Patch of a mail whose subject has no tag, or of an answer."""
    subject = subject_of(message)
    match = TAGS.match(ANSWER.sub('', subject, count=1))
    if match and ANSWER.match(subject):
        subject = f'Re: {match[2]}'
    return make_patch(message, subject or os.path.basename(place.origin), '', place)


def attached(message: email.message.Message, origin: str) -> list[Patch]:
    """The Patches of attachments that are mails of their own."""
    return [patch for part, data in leaves(message) if is_mail(part, data)
            for patch in read_data(part.get_filename() or origin, data, origin)]


def messages(data: bytes) -> Iterable[tuple[int, bytes]]:
    """(number of lines above it, bytes) of each mail of a file."""
    if not SEPARATOR.match(data):
        return [(0, data)]
    starts = [match.end() for match in SEPARATOR.finditer(data)]
    ends = [match.start() for match in SEPARATOR.finditer(data)][1:] + [len(data)]
    return [(data.count(b'\n', 0, start), data[start:end]) for start, end in zip(starts, ends)]


def read_data(name: str, data: bytes, origin: str = '') -> list[Patch]:
    """The Patches in the bytes of a file, and what is no mail but a diff.

    Patches with a tag count before those without, and these before answers, so that a
    suggestion in a thread is not taken for a part of its series.
    """
    origin = origin or name
    data = data.replace(b'\r\n', b'\n')
    if not SEPARATOR.match(data) and not HEADER.match(data):
        if DIFF.search(data):
            return [Patch(os.path.basename(name), 1, 1, 1, data, origin, 1)]
        raise UsageError(f'{name} holds neither mail nor a diff')
    mails = [(email.message_from_bytes(text), Place(origin, text, above))
             for above, text in messages(data)]
    tagged = [patch for patch in (read_message(*mail) for mail in mails) if patch]
    if any(patch.body for patch in tagged):
        return tagged
    inner = [patch for message, _ in mails for patch in attached(message, origin)]
    if inner:
        return [*(patch for patch in tagged if not patch.number), *inner]
    found = [*tagged, *untagged(name, mails)]
    if not any(patch.body for patch in found) and any(map(is_html, (mail for mail, _ in mails))):
        raise UsageError(f'{name}: its diff is in HTML only, which has no white space to rely on; '
                         'ask for plain text')
    return found


def is_html(message: email.message.Message) -> bool:
    """True for a mail that has a diff as HTML."""
    return any(part.get_content_type() == 'text/html' and HTML_DIFF.search(leaf(part))
               for part in message.walk() if not part.is_multipart())


def untagged(name: str, mails: Iterable[tuple[email.message.Message, Place]]) -> list[Patch]:
    """Patches whose subjects have no tag, as git am leaves them; or the answer with a diff."""
    found = [(ANSWER.match(subject_of(message)), read_untagged(message, place))
             for message, place in mails if not read_message(message)]
    bare = [patch for answer, patch in found if patch.body and not answer]
    answers = {patch.unsigned(): patch for answer, patch in found if patch.body and answer}
    if not bare and len(answers) > 1:
        raise UsageError(f'{name} holds several answers with a diff: '
                         + '; '.join(patch.subject for patch in answers.values())
                         + '; give a file of one of them')
    bare = bare or list(answers.values())
    return [dataclasses.replace(patch, number=number, total=len(bare))
            for number, patch in enumerate(bare, 1)]
