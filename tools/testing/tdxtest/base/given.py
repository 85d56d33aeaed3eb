# SPDX-License-Identifier: GPL-2.0-only
"""Files that a person names on the command line, where - is standard input."""

import gzip
import sys
import zlib

from tdxtest.base.failure import UsageError

STANDARD_INPUT = '-'


def name(path: str) -> str:
    """What messages call a file."""
    return 'standard input' if path == STANDARD_INPUT else path


def unpacked(data: bytes) -> bytes:
    """The bytes that gzip packed, or the same ones if it did not. OSError if they are broken."""
    if not data.startswith(b'\x1f\x8b'):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error) as e:
        raise OSError(str(e)) from e


def read(path: str) -> bytes:
    """The bytes of a file, which gzip may have packed. UsageError if it cannot be read."""
    try:
        if path == STANDARD_INPUT:
            return unpacked(sys.stdin.buffer.read())
        with open(path, 'rb') as f:
            return unpacked(f.read())
    except OSError as e:
        raise UsageError(f'{name(path)}: {e.strerror or e}') from e
