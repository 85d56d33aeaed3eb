# SPDX-License-Identifier: GPL-2.0-only
"""Reloading KVM again and again loses nothing."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.commands.reload import COUNT, boot_once
from tdxtest.guest.stages import Built

NAME = 'reload of KVM'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    verdict = boot_once(built, COUNT)
    yield from verdict.wrong()
