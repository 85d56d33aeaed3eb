# SPDX-License-Identifier: GPL-2.0-only
"""The machines that can run the tests, by the name that --machine takes."""

from tdxtest.base.failure import UsageError
from tdxtest.guest.machines import bochs, qemu_kvm, ssh

MACHINES = {machine.name: machine for machine in (bochs.MACHINE, bochs.PLAIN, qemu_kvm.MACHINE)}


def named(text):
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
