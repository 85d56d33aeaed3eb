# SPDX-License-Identifier: GPL-2.0-only
"""Reads the lists of tables/: a row on each line, comments that begin with #, empty lines."""


def lines(path: str) -> list[str]:
    """The lines of a list that are neither empty nor comments."""
    with open(path, encoding='utf-8') as f:
        return [line.rstrip('\n') for line in f if line.strip() and not line.startswith('#')]


def rows(path: str) -> list[list[str]]:
    """The columns of each such line, which tabs separate."""
    return [line.split('\t') for line in lines(path)]
