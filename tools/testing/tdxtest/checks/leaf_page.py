# SPDX-License-Identifier: GPL-2.0-only
"""The page of leafs has a table for each leaf, and names KUnit cases that exist."""

from tdxtest.base.checking import When
from tdxtest.verdict import sim_leafs

NAME = 'leafs of the module'
WHEN = When.STATIC


def check(_progress):
    yield from sim_leafs.check_page()
