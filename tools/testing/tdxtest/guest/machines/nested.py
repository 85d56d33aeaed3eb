# SPDX-License-Identifier: GPL-2.0-only
"""QEMU on KVM in the emulator: nested VMX on any x86-64 machine.

The emulator boots the kernel under test twice: as the host, whose KVM runs QEMU as qemu_kvm.py
does on a machine with VMX, and in the guest of that, whose console is judged.
"""

import dataclasses
import os
import shutil
from collections.abc import Mapping

from tdxtest.base import command, cpio
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import UsageError
from tdxtest.base.paths import GUEST_SOURCES
from tdxtest.guest import image
from tdxtest.guest.machines import bochs, qemu_kvm
from tdxtest.guest.td import packages

SOURCES = tuple(os.path.join(GUEST_SOURCES, name) for name in (
    'nested/nested_init.c', 'guest_end.c'))
# The sources and the header that they include.
INPUTS = (*SOURCES, os.path.join(GUEST_SOURCES, 'guest_end.h'))
# Where QEMU lies in the host.
FOLDER = '/qemu'
CONSOLE, OUTPUT = '/tmp/console', '/tmp/vmm'
ROMS = ('usr/share/seabios/bios-256k.bin', 'usr/share/qemu/kvmvapic.bin')
# {module that the host loads: its parameters}. Without APICv: the emulator wants a
# posted-interrupt descriptor at the start of a page, and KVM's is not there.
PARAMETERS = {'kvm-intel.ko': 'nested=1 enable_apicv=0'}
# KVM's TDX needs APICv all the same, so that KVM must offer it to the guest.
PATCH = 'machines/0002-KVM-nVMX-Offer-posted-interrupts-to-L1-without-APICv.patch'
# What the host's kernel, QEMU and the initramfs take beside the guest's memory.
HOST_MB = 768
# loglevel: the guest's console alone is judged, and a panic of the host.
HOST_PARAMETERS = 'loglevel=1'
# In the host's time, for the guest to print a line. It takes the emulator some minutes.
GUEST_TIMEOUT_S = 60


@dataclasses.dataclass(frozen=True)
class Installation:
    """The emulator, and what the host has beside KVM: {path in it: file}."""

    emulator: bochs.Installation
    build: Build
    files: Mapping[str, str]
    version: str


def plan_text(modules: Mapping[str, str], argv: list[str]) -> str:
    """The plan file of guest_src/nested/nested_init.c. modules: {path: parameters}."""
    lines = [f'module {path} {parameters}'.rstrip() for path, parameters in modules.items()]
    lines += [f'console {CONSOLE}', f'output {OUTPUT}', f'timeout {GUEST_TIMEOUT_S}']
    return '\n'.join([*lines, *(f'arg {word}' for word in argv)]) + '\n'


def host_modules(plan: str) -> dict[str, str]:
    """{path: parameters} of the modules that the host loads. plan: of the guest's init.

    If several groups of tests have modules of one name, the host takes the first.
    """
    found: dict[str, str] = {}
    for line in plan.splitlines():
        words = line.split()
        if words[:1] == ['module']:
            found.setdefault(os.path.basename(words[1]), words[1])
    return {path: PARAMETERS.get(name, '') for name, path in found.items()}


def init(build: Build) -> str:
    """guest_src/nested/nested_init.c, compiled when it changed."""
    target = os.path.join(build.folder('nested'), 'init')
    if (not os.path.exists(target) or
            os.path.getmtime(target) < max(map(os.path.getmtime, INPUTS))):
        command.run(['gcc', '-O2', '-Wall', '-static', '-s', '-o', f'{target}.tmp', *SOURCES],
                    build.log('image'), what='compiling nested_init.c')
        os.replace(f'{target}.tmp', target)
    return target


def qemu_files(root: packages.Unpacked) -> dict[str, str]:
    """{path in the host: file} of QEMU."""
    program = root.path(packages.PROGRAM)
    paths = [*packages.libraries(root, program), root.path(packages.LOADER)]
    return {f'{FOLDER}/qemu': program,
            **{f'{FOLDER}/lib/{os.path.basename(path)}': path for path in paths},
            **{f'{FOLDER}/share/{os.path.basename(name)}': root.path(name) for name in ROMS}}


@dataclasses.dataclass(frozen=True)
class Nested:
    """A guest of QEMU in the emulator."""

    name: str
    guest: qemu_kvm.QemuKvm
    emulator: bochs.Bochs
    parameters: str             # of the guest's kernel
    debug_parameters: str = ''
    runs_host: bool = False
    guest_exits: tuple[int, ...] = ()

    @property
    def option(self) -> str:
        """The name as --machine takes it."""
        return self.name

    @property
    def watermark(self) -> str:
        return self.guest.watermark

    @property
    def patches(self) -> tuple[str, ...]:
        return (*self.guest.patches, PATCH)

    def prepare(self, build: Build) -> Installation:
        """Fetch the emulator and QEMU."""
        emulator = self.emulator.prepare(build)
        vmm = packages.qemu(build)
        return Installation(emulator, build, {'/init': init(build), **qemu_files(vmm)},
                            f'QEMU {vmm.version} in Bochs {emulator.version}')

    def check_cpus(self, cpus: int) -> None:
        if not 1 <= cpus <= 4:
            raise UsageError(f'CPUS={cpus}: this machine has 1 to 4 CPUs')

    def for_vmm(self, memory_mb: int) -> 'Nested':
        """The same for a guest in which a VMM runs a TD of its own."""
        return dataclasses.replace(self, guest=self.guest.for_vmm(memory_mb))

    def command(self, installation: Installation, folder: str, boot_image: str,
                com: tuple[str, str], cpus: int) -> tuple[list[str], dict[str, str]]:
        """argv and environment that boot the host, which boots `boot_image`.

        The host has the kernel, the initramfs and so the KVM that lie beside that image.
        com: (mode, device) of the serial line, ('file', path): the host has no other console
        than that of its guest. cpus: of the guest; the host has one.
        """
        if com[0] != 'file':
            raise UsageError(f'--machine {self.option}: a guest in a guest has no terminal')
        qemu = qemu_kvm.Installation(f'{FOLDER}/qemu', '')
        argv, _ = self.guest.command(qemu, folder, '/boot.iso', ('file', CONSOLE), cpus)
        loader = f'{FOLDER}/lib/{os.path.basename(packages.LOADER)}'
        argv = [loader, '--library-path', f'{FOLDER}/lib', *argv, '-L', f'{FOLDER}/share']
        emulator = self.emulator.for_vmm(self.guest.memory_mb + HOST_MB)
        iso = self._host_image(installation, folder, boot_image, argv, emulator.parameters)
        return emulator.command(installation.emulator, folder, iso, com, 1)

    def _host_image(self, installation: Installation, folder: str, boot_image: str,
                    argv: list[str], parameters: str) -> str:
        """The boot image of a host that runs argv; parameters: of its kernel."""
        linux, first, guest_plan = (os.path.join(os.path.dirname(boot_image), name)
                                    for name in ('linux', 'initrd', 'plan'))
        for path in (linux, first, guest_plan):
            if not os.path.exists(path):
                raise UsageError(f'--machine {self.option}: {boot_image} has no '
                                 f'{os.path.basename(path)} beside it, of which the host is made')
        plan = os.path.join(folder, 'nested-plan')
        with open(guest_plan, encoding='utf-8') as f:
            write_if_changed(plan, plan_text(host_modules(f.read()), argv).encode())
        initrd = os.path.join(folder, 'host-initrd')
        shutil.copy(first, initrd)
        with open(initrd, 'ab') as archive:
            archive.write(cpio.padding(archive.tell()))
            cpio.write(archive, {**installation.files, '/etc/nested-plan': plan,
                                 '/boot.iso': boot_image})
        return image.boot_iso(installation.build, os.path.join(folder, 'host.iso'), linux, initrd,
                              f'{image.CMDLINE} {HOST_PARAMETERS} {parameters}')


MACHINE = Nested(
    name='bochs-qemu-kvm',
    guest=dataclasses.replace(qemu_kvm.MACHINE, memory_mb=bochs.MACHINE.memory_mb),
    emulator=bochs.MACHINE,
    # The guest's TSC is the host's. Each access to a timer that the guest could measure it by is
    # an exit, too slow for a clock of 100 MHz.
    parameters=f'{qemu_kvm.MACHINE.parameters} {bochs.SLOW_CLOCK}',
)
