# SPDX-License-Identifier: GPL-2.0-only
"""Reloading KVM again and again loses nothing."""

from tdxtest.base.checking import When
from tdxtest.commands.reload import COUNT, boot_once

NAME = 'reload of KVM'
WHEN = When.LONG


def check(built):
    verdict = boot_once(built, COUNT)
    yield from verdict.wrong()
