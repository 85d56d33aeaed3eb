# SPDX-License-Identifier: GPL-2.0-only
"""The machines that can run the tests, by the name that --machine takes."""

import typing
from collections.abc import Container

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import UsageError
from tdxtest.guest.machines import bochs, nested, qemu_kvm, ssh

class Installation(typing.Protocol):
    """What Machine.prepare() found."""

    @property
    def version(self) -> str:
        """Of the emulator, or of the kernel of a host."""


class Machine(typing.Protocol):
    """What runs a guest. The numbers and texts are facts of it, not choices of a run."""

    @property
    def name(self) -> str:
        """What --machine calls its kind."""

    @property
    def option(self) -> str:
        """What --machine calls it."""

    @property
    def watermark(self) -> str:
        """What the log of a guest's kernel must have, '' for nothing."""

    @property
    def parameters(self) -> str:
        """Parameters of a guest's kernel."""

    @property
    def debug_parameters(self) -> str:
        """What a debug kernel gets after them."""

    @property
    def patches(self) -> tuple[str, ...]:
        """Rows of patches/series that a kernel needs here."""

    @property
    def runs_host(self) -> bool:
        """It is a host with a kernel of its own, which is not booted."""

    @property
    def guest_exits(self) -> Container[int]:
        """Statuses with which a guest can make the machine end."""

    def prepare(self, build: Build) -> Installation:
        """Find or install what runs the guest."""

    def check_cpus(self, cpus: int) -> None:
        """UsageError for a number of CPUs that the machine cannot have."""

    def for_vmm(self, memory_mb: int) -> typing.Self:
        """The same for a guest in which a VMM runs a TD of its own; memory_mb: of the guest."""

    def command(self, installation: typing.Any, folder: str, image: str, com: tuple[str, str],
                cpus: int) -> tuple[list[str], dict[str, str]]:
        """argv and environment that boot `image`; com: (mode, device) of the serial line."""


ALL: tuple[Machine, ...] = (bochs.MACHINE, bochs.PLAIN, nested.MACHINE, qemu_kvm.MACHINE)
MACHINES = {machine.name: machine for machine in ALL}


def named(text: str) -> Machine:
    """The machine of a name, or ssh:HOST; UsageError for another text."""
    if text.startswith(ssh.PREFIX) and len(text) > len(ssh.PREFIX):
        host = text.removeprefix(ssh.PREFIX)
        if host.startswith('-'):
            raise UsageError(f'--machine {text}: no host is called so')
        return ssh.Ssh(host)
    if text not in MACHINES:
        raise UsageError(f'--machine {text}: there are {", ".join(sorted(MACHINES))} '
                         f'and {ssh.PREFIX}HOST')
    return MACHINES[text]


def check_takes_modules(machine: Machine) -> None:
    """UsageError for a machine on which no module can be tried."""
    if machine.runs_host:
        raise UsageError(f'--machine {machine.option}: runs the KVM that it has; another one '
                         'can be tried in a guest only')
