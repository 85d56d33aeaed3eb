# SPDX-License-Identifier: GPL-2.0-only
"""A patch series as mail has it: public-inbox's and b4's mbox, or single patches."""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from tdxtest.base import given
from tdxtest.base.failure import UsageError
from tdxtest.tree import mail
from tdxtest.tree.mail import Patch

# What a series says of the tree that it is made for.
BASE_COMMIT = re.compile(rb'^base-commit: ([0-9a-f]{12,40})\b', re.MULTILINE)
BASE_TREE = re.compile(rb'\b(?:appl(?:y|ies)|based|rebased)\b(?:\s+\w+)?\s+'
                       rb'(?:on\s+top\s+of|on|onto|to|against)\s+(?:the\s+)?(?:latest\s+)?'
                       rb'([\w.-]+/[\w./-]*\w|v\d+\.\d[\w.-]*\w|v\d+\.\d+|[\w-]+-next)',
                       re.IGNORECASE)
# How many ranges of missing patches a message names.
RANGES = 3


@dataclasses.dataclass(frozen=True)
class Series:
    """Patches in the order in which they apply. title: of the cover letter, or the patch.

    base: what the series says of the tree that it is made for, '' if it says nothing;
    message_id, subject, sender: of the mail of the cover letter, or of the first patch.
    """

    title: str
    version: int
    patches: tuple[Patch, ...]
    base: str = ''
    message_id: str = ''
    subject: str = ''
    sender: str = ''


def read_file(path: str) -> list[Patch]:
    """The Patches of a file, and what is no mail but a diff."""
    return mail.read_data(given.name(path), given.read(path))


def ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers as text: "1-27, 29"; no more than RANGES parts."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    told = ', '.join('-'.join(map(str, part)) for part in parts[:RANGES])
    return told + (f' and {len(parts) - RANGES} more ranges' if len(parts) > RANGES else '')


def check_whole(path: str, patches: Iterable[Patch], total: int) -> None:
    """UsageError if some of the patches 1 to `total` are missing."""
    have = {patch.number: patch for patch in patches}
    missing = sorted(set(range(1, total + 1)) - set(have))
    if not missing:
        return
    if len(have) == 1:
        [patch] = have.values()
        raise UsageError(f'{path} is patch {patch.number} of {total} of its series; give the '
                         'whole series, or review this patch without the rest by --alone')
    raise UsageError(f'{path}: of {total} patches of version {next(iter(have.values())).version} '
                     f'there is no {ranges(missing)}; give the whole series, or review what is '
                     'there by --alone')


def newest(path: str, found: Sequence[Patch], alone: bool = False) -> list[Patch]:
    """The Patches of the newest of the series that a file holds, in their order.

    alone: some of them may be missing. UsageError if a patch of it is missing otherwise, or
    it is not clear which ones are meant.
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
    if not alone:
        check_whole(path, found, total)
    return [patches[number] for number in sorted(patches)]


def base_of(texts: Iterable[bytes]) -> str:
    """What the texts of a series say of its base."""
    said = []
    for pattern, word in ((BASE_TREE, ''), (BASE_COMMIT, 'base-commit ')):
        match = next(filter(None, map(pattern.search, texts)), None)
        if match:
            said.append(word + match[1].decode())
    return ', '.join(said)


def read(paths: Sequence[str], alone: bool = False) -> Series:
    """The Series in files: one mbox, or patches in their order. alone: as for newest()."""
    covers, patches = [], []
    if paths.count(given.STANDARD_INPUT) > 1:
        raise UsageError('- is given twice; standard input can be read once')
    for path in paths:
        found, name = read_file(path), given.name(path)
        held = [patch for patch in found if patch.body]
        covers += [patch for patch in found if not patch.number]
        if not held and all(patch.number for patch in found):
            raise UsageError(f'{name} holds no patch')
        # One patch among other files need not have the rest of its series.
        whole = len(held) > 1 or (held and len(paths) == 1)
        patches += newest(name, held, alone) if whole else held
    if not patches:
        raise UsageError(f'{", ".join(map(given.name, paths))} holds no patch')
    version = patches[0].version
    covers = [cover for cover in covers if cover.version == version]
    first = (covers or patches)[0]
    texts = [text for patch in (*covers, *patches) for text in (patch.text, patch.body)]
    return Series(first.subject, version, tuple(patches), base_of(texts), first.message_id,
                  first.mail_subject, first.sender)
