# SPDX-License-Identifier: GPL-2.0-only
"""The Bochs x86 emulator: an Intel CPU with VMX on any x86-64 machine."""

import dataclasses
import os
import shutil
import subprocess

from tdxtest.base import apt, command
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure, UsageError
from tdxtest.guest.machines import qemu_kvm

HERE = os.path.dirname(os.path.abspath(__file__))
# Older ones have no posted interrupts, hence no APICv, which KVM's TDX needs.
MIN_VERSION = (2, 8)
# bochs-term satisfies bochs's need for a display and pulls in the least.
PACKAGES = ('bochs', 'bochs-term')
# Its compiler is GCC 14; see Bochs.prepare().
SUITE = 'trixie'
LIB = 'usr/lib/x86_64-linux-gnu'
# What the emulator needs at run time; not the icons, locales and manuals.
MEMBERS = (f'./{LIB}/*', './usr/lib64/*', './usr/bin/bochs*', './usr/share/bochs/*',
           './usr/share/vgabios/*', './usr/share/seabios/*')


@dataclasses.dataclass(frozen=True)
class Installation:
    """Where Bochs is. root is '' for the system's own."""

    root: str
    version: str

    def argv(self) -> list[str]:
        """The start of the command line that runs the emulator.

        A private root is run by its own dynamic loader: its libc may be newer
        than the system's, and this needs neither root rights nor a chroot.
        """
        if not self.root:
            return ['bochs-bin' if shutil.which('bochs-bin') else 'bochs']
        lib = os.path.join(self.root, LIB)
        paths = ':'.join((lib, os.path.join(lib, 'pulseaudio')))
        return [os.path.join(lib, 'ld-linux-x86-64.so.2'), '--library-path', paths,
                os.path.join(self.root, 'usr/bin/bochs-bin')]

    def env(self) -> dict[str, str]:
        if not self.root:
            return {}
        return {'LTDL_LIBRARY_PATH': os.path.join(self.root, LIB, 'bochs/plugins'),
                'BXSHARE': self.share()}

    def share(self) -> str:
        return os.path.join(self.root or '/', 'usr/share/bochs')

    def vgabios(self) -> str:
        for path in ('usr/share/bochs/VGABIOS-lgpl-latest',
                     'usr/share/bochs/VGABIOS-lgpl-latest.bin',
                     'usr/share/vgabios/vgabios.bin'):
            full = os.path.join(self.root or '/', path)
            if os.path.exists(full):
                return full
        raise Failure(f'no VGA BIOS under {self.share()}; reinstall bochsbios')


@dataclasses.dataclass(frozen=True)
class Bochs:
    """What is emulated. Numbers are facts of the model, not choices of a test."""

    name: str
    model: str
    exclude: str
    ips: int
    memory_mb: int
    watermark: str
    msrs: str               # MSRs beside those of the model, a file of this folder
    parameters: str = ''    # of the guest's kernel
    debug_parameters: str = ''      # what the debug kernel gets after them
    patches: tuple[str, ...] = ()     # rows of patches/series that the machine needs
    runs_host: bool = False
    # Statuses with which a guest can end the emulator: none, by reset_on_triple_fault of
    # bochsrc.in.
    guest_exits: tuple[int, ...] = ()

    @property
    def option(self) -> str:
        """The name as --machine takes it."""
        return self.name

    def system(self) -> Installation | None:
        """The system's own installation if it is new enough, else None."""
        text = command.output(['dpkg-query', '-W', '-f', '${Status} ${Version}', 'bochs'],
                              check=False)
        version = text.split()[-1] if text.startswith('install ok installed') else ''
        if version and apt.version_key(version)[:2] >= MIN_VERSION:
            return Installation('', version)
        return None

    def prepare(self, build: Build) -> Installation:
        """Unpack the emulator unless that was done; gives its Installation.

        It is one build on every system, whatever that has itself: a 64-bit IDIV of
        Bochs compiled by GCC 15 or later leaves garbage (bochs-emu issue 668), and
        Linux divides by zero before it has a console. The system's own is taken
        where the other cannot be had.
        """
        root = build.path('bochs')
        stamp = os.path.join(root, 'version')
        if os.path.exists(stamp):
            with open(stamp, encoding='utf-8') as f:
                return Installation(root, f.read().strip())
        try:
            return self.unpack(build, root)
        except Failure as e:
            found = self.system()
            if not found:
                raise
            build.progress.say(f"note: {e}; taking the system's Bochs {found.version}")
            return found

    def unpack(self, build: Build, root: str) -> Installation:
        """Make a private root from Debian packages."""
        state = build.isolated_apt()
        with build.progress.step('emulator', 'fetching Bochs and its libraries',
                                 build.folder_size(os.path.join(state.root, 'cache'))):
            debs = state.download_closure(PACKAGES, SUITE, build.log('apt'))
        part = root + '.part'
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        with build.progress.step('emulator', f'unpacking {len(debs)} packages'):
            for deb in debs:
                apt.unpack(deb, part, MEMBERS)
        version = next(os.path.basename(d).split('_')[1] for d in debs
                       if os.path.basename(d).startswith('bochs_'))
        # The stamp is written last: a root that has it is whole.
        with open(os.path.join(part, 'version'), 'w', encoding='utf-8') as f:
            f.write(version + '\n')
        shutil.rmtree(root, ignore_errors=True)
        os.rename(part, root)
        shutil.rmtree(os.path.join(state.root, 'cache', 'archives'), ignore_errors=True)
        os.makedirs(os.path.join(state.root, 'cache', 'archives', 'partial'))
        return Installation(root, version)

    def check_cpus(self, cpus: int) -> None:
        if not 1 <= cpus <= 8:
            raise UsageError(f'CPUS={cpus}: the emulated machine has 1 to 8 CPUs')

    def for_vmm(self, memory_mb: int) -> 'Bochs':
        """The same for a guest in which a VMM runs a TD of its own.

        Without CET: the firmware of a TD has read-only pages whose dirty bits are not set,
        on which the emulator ends when such a CPU writes to them. Each tick of the guest is
        an exit of its TD, so that a slower clock leaves the TD more of the instructions.
        """
        return dataclasses.replace(self, memory_mb=memory_mb, exclude=f'{self.exclude}, cet',
                                   parameters=f'{self.parameters} {SLOW_CLOCK}')

    def command(self, installation: Installation, folder: str, image: str, com: tuple[str, str],
                cpus: int) -> tuple[list[str], dict[str, str]]:
        """argv and environment that boot `image`.

        com: (mode, device) of the serial line: ('file', path) or ('term', pty).
        """
        with open(os.path.join(HERE, 'bochsrc.in'), encoding='utf-8') as f:
            text = f.read()
        values = {
            'model': self.model, 'exclude': self.exclude, 'ips': self.ips,
            'cpus': cpus, 'memory_mb': self.memory_mb,
            'share': installation.share(), 'vgabios': installation.vgabios(),
            'msrs': os.path.join(HERE, self.msrs), 'image': image,
            'com_mode': com[0], 'com_dev': com[1],
            'log': os.path.join(folder, 'bochs.log'),
        }
        for key, value in values.items():
            text = text.replace('{%s}' % key, str(value))
        config = os.path.join(folder, 'bochsrc')
        with open(config, 'w', encoding='utf-8') as f:
            f.write(text)
        return own_network() + installation.argv() + ['-q', '-f', config], installation.env()


def own_network() -> list[str]:
    """The start of a command line without a network, [] where that is not allowed.

    The display listens for VNC viewers on every address. In a network namespace of its own it
    cannot be reached, and two emulators do not collide.
    """
    prefix = ['unshare', '--map-root-user', '--net', '--']
    try:
        tried = subprocess.run(prefix + ['true'], env=command.environment(), capture_output=True,
                               stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return []
    return prefix if tried.returncode == 0 else []


# The model says that its TSC has 2.2 GHz, but what advances it are instructions, of
# which there are fewer than 50 million a second. A timer of 1 ms would be 2.2 million
# instructions away, and with several CPUs the emulator steps through all of them
# although no CPU runs. 100 MHz is the least that the TDX ABI has for a TD.
CLOCK = 'tsc_early_khz=100000'
# A kernel that checks itself needs ten times the instructions for a tick.
SLOW_CLOCK = 'tsc_early_khz=1000000'

# The other models that have MOVDIR64B, which the kernel requires for TDX.
OTHER_MODELS = ('tigerlake', 'arrow_lake')

MACHINE = Bochs(
    name='bochs',
    model='sapphire_rapids',
    exclude='la57, amx, amx_int8, amx_bf16',
    ips=50000000,
    memory_mb=1024,
    watermark='tdx_sim: simulated TDX module',
    msrs='msrs.def',
    parameters=CLOCK,
    debug_parameters=SLOW_CLOCK,
)

# Without the MSR of a platform that has TDX, as a guest of KVM is: what such a
# guest needs instead can be tried here.
PLAIN = dataclasses.replace(
    MACHINE,
    name='bochs-plain',
    msrs='no_msrs.def',
    parameters=f'{CLOCK} {qemu_kvm.MACHINE.parameters}',
    patches=qemu_kvm.MACHINE.patches,
)
