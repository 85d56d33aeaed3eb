# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit tests pass on each model of a CPU that the emulator offers for TDX."""

import dataclasses
from collections.abc import Iterator

from tdxtest.base.checking import NotHere, When
from tdxtest.commands import kunit
from tdxtest.guest.machines import bochs
from tdxtest.guest.stages import Built

NAME = 'models of CPUs'
WHEN = When.LONG


def check(built: Built) -> Iterator[str]:
    if built.request.boot.machine != bochs.MACHINE:
        raise NotHere(f'--machine {built.request.boot.machine.option} has one CPU')
    for model in built.progress.each('cpu', bochs.OTHER_MODELS):
        machine = dataclasses.replace(bochs.MACHINE, model=model)
        wrong, summary, _ = kunit.boot_tests(built.with_boot(machine=machine))
        built.progress.line(f'{model}: {summary}')
        yield from (f'{model}: {line}' for line in wrong)
