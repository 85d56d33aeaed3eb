# SPDX-License-Identifier: GPL-2.0-only
"""The pages on leafs agree with the rows of leafs, with their code and with KUnit cases."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.verdict import sim_leafs

NAME = 'leafs of the module'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    yield from sim_leafs.check_page()
    yield from sim_leafs.check_families()
