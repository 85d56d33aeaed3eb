# SPDX-License-Identifier: GPL-2.0-only
"""The bytes of whole files."""


def content(path: str) -> bytes:
    """The bytes of a file that is there."""
    with open(path, 'rb') as f:
        return f.read()


def read(path: str) -> bytes | None:
    """The bytes of a file, None if there is none."""
    try:
        return content(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
