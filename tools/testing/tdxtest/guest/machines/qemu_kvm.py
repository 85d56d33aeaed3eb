# SPDX-License-Identifier: GPL-2.0-only
"""QEMU on KVM: a guest with nested VMX, on an Intel host whose KVM offers it."""

import dataclasses
import os
import shutil

from tdxtest.base import command
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure, UsageError

PROGRAM = 'qemu-system-x86_64'
DEVICE = '/dev/kvm'
NESTED = '/sys/module/kvm_intel/parameters/nested'
CPUINFO = '/proc/cpuinfo'
# Features of a CPU that KVM's TDX needs and no hypervisor can add.
FLAGS = ('vmx', 'movdir64b')


@dataclasses.dataclass(frozen=True)
class Installation:
    """Where QEMU is."""

    path: str
    version: str


@dataclasses.dataclass(frozen=True)
class QemuKvm:
    """What the guest gets. patches: rows of patches/series; parameters: of its kernel."""

    name: str
    memory_mb: int
    watermark: str
    parameters: str
    patches: tuple[str, ...]
    debug_parameters: str = ''
    runs_host: bool = False
    # Statuses with which a guest can end QEMU: with -no-reboot a triple fault ends it with 0.
    guest_exits: tuple[int, ...] = (0,)

    @property
    def option(self) -> str:
        """The name as --machine takes it."""
        return self.name

    def prepare(self, build: Build) -> Installation:
        """Find QEMU, and say what the host lacks; gives the Installation."""
        path = shutil.which(PROGRAM)
        if not path:
            raise Failure(f'{PROGRAM} is not there; install qemu-system-x86')
        if not os.access(DEVICE, os.R_OK | os.W_OK):
            raise Failure(f'{DEVICE}: no such device, or no right to it; '
                          '--machine bochs needs none')
        if read(NESTED).strip() not in ('Y', '1'):
            raise Failure(f'{NESTED}: wanted Y; nested VMX needs an Intel host, and '
                          'kvm_intel loaded with nested=1')
        flags = read(CPUINFO).partition('\nflags')[2].partition('\n')[0].split()
        lacking = [flag for flag in FLAGS if flag not in flags]
        if lacking:
            raise Failure(f'the CPU of this host has no {" and no ".join(lacking)}, '
                          "which KVM's TDX needs")
        build.progress.say(f'note: {self.name} was not tried on a real host yet')
        version = command.output([path, '--version']).rpartition('version ')[2].split()[0]
        return Installation(path, version)

    def check_cpus(self, cpus: int) -> None:
        if not 1 <= cpus <= 64:
            raise UsageError(f'CPUS={cpus}: this machine has 1 to 64 CPUs')

    def for_vmm(self, memory_mb: int) -> 'QemuKvm':
        """The same for a guest in which a VMM runs a TD of its own."""
        return dataclasses.replace(self, memory_mb=memory_mb)

    def command(self, installation: Installation, folder: str, image: str, com: tuple[str, str],
                cpus: int) -> tuple[list[str], dict[str, str]]:
        """argv and environment that boot `image`.

        com: (mode, device) of the serial line: ('file', path) or ('term', pty).
        """
        mode, device = com
        return [installation.path, '-nodefaults', '-no-user-config', '-no-reboot',
                '-machine', 'q35,accel=kvm', '-cpu', 'host', '-smp', str(cpus),
                '-m', str(self.memory_mb), '-display', 'none', '-monitor', 'none',
                '-cdrom', image, '-boot', 'd',
                '-chardev', f'{"file" if mode == "file" else "serial"},id=console,path={device}',
                '-serial', 'chardev:console'], {}


def read(path: str) -> str:
    """The text of a file of the system, '' if there is none."""
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except OSError:
        return ''


MACHINE = QemuKvm(
    name='qemu-kvm',
    memory_mb=2048,
    watermark='tdx_sim: simulated TDX module',
    # KVM has no IA32_MKTME_KEYID_PARTITIONING for its guests.
    parameters='tdx_sim_keyids=64',
    patches=('machines/0001-x86-virt-tdx-Let-the-simulated-module-say-how-many-K.patch',),
)
