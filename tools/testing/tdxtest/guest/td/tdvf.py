# SPDX-License-Identifier: GPL-2.0-only
"""The MRTD of a firmware, from its file alone.

The file tells by TDVF metadata which of its parts are added to a TD, and which of those
are measured ("Intel TDX Virtual Firmware Design Guide", section 11). MRTD is the SHA-384
of what TDH.MEM.PAGE.ADD and TDH.MR.EXTEND measure, in that order, as the "Intel TDX
Module Base Architecture Specification" gives it for each of the two.
"""

import hashlib
import struct
import typing
import uuid

from tdxtest.base.failure import Failure

PAGE = 4096
CHUNK = 256
# The table of GUIDs ends here, counted from the end of the file.
TABLE_END = 32
TABLE_GUID = uuid.UUID('96b582de-1fb2-45f7-baea-a366c55a082d').bytes_le
METADATA_GUID = uuid.UUID('e47a6535-984a-4798-865e-4685a7bf8ec2').bytes_le
SIGNATURE = b'TDVF'
MR_EXTEND = 1
# Types of a section: a range of the TD's memory that is not added before it starts.
PERMANENT_MEMORY = 4


class Section(typing.NamedTuple):
    """A row of the metadata."""

    data_offset: int
    raw_size: int
    address: int
    size: int
    kind: int
    attributes: int


SECTION = struct.Struct('<IIQQII')
HEADER = struct.Struct('<4sIII')
ENTRY = struct.Struct('<H16s')


def metadata_offset(data: bytes) -> int:
    """Where the metadata of a firmware is; -1 if it has none."""
    end = len(data) - TABLE_END
    length, guid = ENTRY.unpack_from(data, end - ENTRY.size)
    if guid != TABLE_GUID:
        return -1
    at, start = end - ENTRY.size, end - length
    while at > start:
        length, guid = ENTRY.unpack_from(data, at - ENTRY.size)
        if guid == METADATA_GUID:
            (back,) = struct.unpack_from('<I', data, at - length)
            return len(data) - int(back)
        if not length:
            break
        at -= length
    return -1


def sections(data: bytes) -> list[Section]:
    """The sections of a firmware's metadata, none if it has no such."""
    at = metadata_offset(data)
    if at < 0:
        return []
    signature, _, _, count = HEADER.unpack_from(data, at)
    if signature != SIGNATURE:
        return []
    return [Section(*SECTION.unpack_from(data, at + HEADER.size + n * SECTION.size))
            for n in range(count)]


def measure(data: bytes, found: list[Section]) -> str:
    """The MRTD of sections, in hexadecimal digits."""
    digest = hashlib.sha384()
    for section in found:
        raw = data[section.data_offset:section.data_offset + section.raw_size]
        if section.kind == PERMANENT_MEMORY:
            continue
        for offset in range(0, section.size, PAGE):
            gpa = section.address + offset
            digest.update(struct.pack('<16sQ104x', b'MEM.PAGE.ADD', gpa))
            if not section.attributes & MR_EXTEND:
                continue
            page = raw[offset:offset + PAGE].ljust(PAGE, b'\0')
            for chunk in range(0, PAGE, CHUNK):
                digest.update(struct.pack('<16sQ104x', b'MR.EXTEND', gpa + chunk))
                digest.update(page[chunk:chunk + CHUNK])
    return digest.hexdigest()


def mrtd(path: str) -> str:
    """The MRTD of a firmware file. Failure for one that cannot start a TD."""
    with open(path, 'rb') as f:
        data = f.read()
    found = sections(data)
    if not found:
        raise Failure(f'{path}: no TDVF metadata in it, it cannot start a TD')
    return measure(data, found)
