# SPDX-License-Identifier: GPL-2.0-only
"""The files of a boot image that start a TD: VMM, firmware, kernel, and what judges them."""

import hashlib
import os
from collections.abc import Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.paths import GUEST_SOURCES
from tdxtest.guest import image, shell
from tdxtest.guest.td import packages, tdvf
from tdxtest.guest.td.packages import GuestKernel, Unpacked
from tdxtest.guest.td.request import TdRequest
from tdxtest.tree import series, td_tests

SOURCES = os.path.join(GUEST_SOURCES, 'td')
TEST_SOURCES = ('td_test.c', 'td_plan.c', 'td_shell.c', 'td_stats.c', 'td_vmm.c', '../hang.c')
INIT_SOURCES = ('td_init.c', 'td_checks.c', 'td_timers.c', 'td_measure.c')
# Where all of it lies in the guest.
FOLDER = '/td'
# A person's init is started with this line of the kernel.
OTHER_USERSPACE = ('userspace', 'Run /init as init process')
# What a TD says that goes no further.
STOPS = ('EFI stub: ERROR', 'BdsDxe: No bootable option', 'Kernel panic - not syncing')
# Guest time between two stages, of which the longest takes two seconds, and what a TD needs
# to accept its memory. A TD that spins for as long takes the emulator two minutes.
STAGE_TIMEOUT_S = 10
ACCEPTED_MB_PER_S = 128
# loglevel: the kernel's banner and warnings. Each character that a TD prints is an exit.
# swiotlb: the least that virtio-rng takes, in slabs of 2 KiB; 64 MiB are the default.
# panic: a panic ends the TD at once. cryptomgr.notests: the self-tests of its crypto code are
# a fifth of its instructions.
PARAMETERS = 'console=ttyS0 loglevel=6 panic=-1 swiotlb=2048 cryptomgr.notests=1'
OTHER_PARAMETERS = 'console=ttyS0 panic=-1 swiotlb=2048'
# What td_measure.c extends RTMR3 by.
RTMR_DATA = bytes(range(48))
# Devices of q35 that a TD has no use for. The firmware polls for a keyboard, by 16,000 exits.
NO_DEVICES = 'i8042=off,sata=off,smbus=off,vmport=off'
# QEMU asks for these although a TD's firmware uses none of them.
ROMS = ('kvmvapic.bin', 'linuxboot_dma.bin', 'efi-virtio.rom')


def compiled(build: Build, name: str, sources: Sequence[str], flags: Sequence[str]) -> str:
    """A program of guest_src/td/, compiled when a source changed."""
    inputs = [os.path.join(SOURCES, source) for source in {*os.listdir(SOURCES), *sources}]
    target = os.path.join(build.folder('td'), name)
    if (not os.path.exists(target) or
            os.path.getmtime(target) < max(map(os.path.getmtime, inputs))):
        command.run(['gcc', '-O2', '-Wall', '-s', *flags, '-o', f'{target}.tmp',
                     *(os.path.join(SOURCES, source) for source in sources)],
                    build.log('image'), what=f'compiling {name}')
        os.replace(f'{target}.tmp', target)
    return target


def cpio(gen_init_cpio: str, target: str, files: Mapping[str, str], log: str,
         nodes: str = '') -> str:
    """An initramfs of files, {path in it: file}; gives `target`."""
    text = nodes
    text += ''.join(f'dir {path} 755 0 0\n' for path in image.folders(files))
    text += ''.join(f'file {name} {path} 755 0 0\n' for name, path in files.items())
    write_if_changed(f'{target}.list', text.encode())
    command.run([gen_init_cpio, f'{target}.list'], log, stdout=target)
    return target


def td_initrd(build: Build, gen_init_cpio: str, kernel: GuestKernel, busybox: str) -> str:
    """The initramfs of a TD, which makes the checks."""
    init = compiled(build, 'td_init', INIT_SOURCES, ('-static',))
    names = [f'/lib/{os.path.basename(path)}' for path in kernel.modules]
    listed = build.path('td', 'modules.list')
    write_if_changed(listed, ''.join(f'{name}\n' for name in names).encode())
    files = {'/init': init, '/lib/modules.list': listed, **dict(zip(names, kernel.modules))}
    if busybox:
        files['/bin/busybox'] = busybox
    return cpio(gen_init_cpio, build.path('td', 'initrd'), files, build.log('image'),
                'dir /dev 755 0 0\nnod /dev/console 600 0 0 c 5 1\n')


def parameters(wanted: TdRequest, end: str, mrtd: str) -> str:
    """The command line of the TD's kernel."""
    if wanted.initrd:
        return f'{OTHER_PARAMETERS} {wanted.append}'.strip()
    rtmr = hashlib.sha384(bytes(48) + RTMR_DATA).hexdigest()
    return (f'{PARAMETERS} td.end={end} td.checks={int(td_tests.ENDS[end].checks)} '
            f'td.shell={int(wanted.shell)} td.cpus={wanted.cpus} td.mrtd={mrtd} '
            f'td.rtmr3={rtmr} {wanted.append}').strip()


def vmm_arguments(wanted: TdRequest, append: str) -> list[str]:
    """QEMU and its arguments, without its loader."""
    return [f'{FOLDER}/qemu', '-L', f'{FOLDER}/share', '-nodefaults', '-no-user-config',
            '-no-reboot', '-display', 'none', '-accel', 'kvm',
            '-object', 'tdx-guest,id=tdx0',
            '-machine', f'q35,kernel-irqchip=split,confidential-guest-support=tdx0,{NO_DEVICES}',
            '-cpu', 'host', '-smp', str(wanted.cpus),
            '-m', f'{wanted.memory_mb}M',
            '-chardev', 'pipe,id=console,path=/tmp/td-console', '-serial', 'chardev:console',
            '-qmp', 'pipe:/tmp/td-monitor',
            '-D', '/tmp/td-trace', '-trace', 'kvm_convert_memory', '-trace', 'kvm_memory_fault',
            '-bios', f'{FOLDER}/firmware', '-kernel', f'{FOLDER}/vmlinuz',
            '-initrd', f'{FOLDER}/initrd', '-append', append]


def plan_text(wanted: TdRequest, end: td_tests.End, append: str) -> str:
    """The plan file of guest_src/td/td_test.c."""
    stages = ((*td_tests.STAGES[:-1], OTHER_USERSPACE) if wanted.initrd else td_tests.STAGES)
    lines = [f'stage {name} {text}' for name, text in stages]
    lines += ['checks'] if end.checks and not wanted.initrd else []
    lines += [f'says {end.says}'] if end.says else []
    lines += [f'stop {text}' for text in STOPS if text != end.says]
    timeout_s = STAGE_TIMEOUT_S + wanted.memory_mb // ACCEPTED_MB_PER_S
    lines += [f'end {end.reason}', f'timeout {timeout_s}',
              f'leaks {td_tests.FINDINGS["page_tables"]}',
              f'arg {FOLDER}/lib/{os.path.basename(packages.LOADER)}',
              'narrow --preload', f'narrow {FOLDER}/width.so',
              'arg --library-path', f'arg {FOLDER}/lib']
    lines += [f'arg {word}' for word in vmm_arguments(wanted, append)]
    return '\n'.join(lines) + '\n'


def vmm_files(build: Build, root: Unpacked) -> dict[str, str]:
    """{path in the guest: file} of QEMU."""
    program = root.path(packages.PROGRAM)
    paths = [*packages.libraries(root, program), root.path(packages.LOADER)]
    files = {f'{FOLDER}/lib/{os.path.basename(path)}': path for path in paths}
    files[f'{FOLDER}/qemu'] = program
    share = root.path('usr/share/qemu')
    files.update((f'{FOLDER}/share/{name}', os.path.join(share, name))
                 for name in sorted(os.listdir(share)) if name in ROMS)
    files[f'{FOLDER}/width.so'] = compiled(build, 'td_width.so', ('td_width.c',),
                                           ('-shared', '-fPIC', '-nostdlib'))
    return files


def td_files(build: Build, wanted: TdRequest, kernel: GuestKernel, initrd: str,
             tests: Sequence[str]) -> dict[str, str]:
    """{path in the guest: file} of TDs, and of what judges them."""
    firmware = wanted.firmware or packages.firmware(build)
    files = {f'{FOLDER}/firmware': firmware, f'{FOLDER}/vmlinuz': kernel.image,
             f'{FOLDER}/initrd': initrd}
    program = compiled(build, 'td_test', TEST_SOURCES, ('-static',))
    for test in tests:
        end = td_tests.end_of(test)
        plan = build.path('td', f'{test}.td')
        append = parameters(wanted, end, tdvf.mrtd(firmware))
        write_if_changed(plan, plan_text(wanted, td_tests.ENDS[end], append).encode())
        files[f'/tests/{test}'] = program
        files[f'/tests/{test}.td'] = plan
    return files


def files_of(build: Build, wanted: TdRequest, gen_init_cpio: str, key: series.Version,
             tests: Sequence[str]) -> dict[str, str]:
    """{path in the guest: file} of all that tests of td_tests.NAMES need; {} without any.

    key: the version of the kernel under test, of whose series the TD's kernel is.
    """
    if not tests:
        return {}
    kernel = (GuestKernel(wanted.kernel, os.path.basename(wanted.kernel)) if wanted.kernel else
              packages.kernel(build, key))
    busybox = shell.busybox(build) if wanted.shell else ''
    vmm = packages.qemu(build)
    build.progress.say(f'td: QEMU {vmm.version}, a TD with Linux {kernel.version}, '
                       f'{wanted.cpus} vCPU(s), {wanted.memory_mb} MB')
    initrd = wanted.initrd or td_initrd(build, gen_init_cpio, kernel, busybox)
    return {**vmm_files(build, vmm), **td_files(build, wanted, kernel, initrd, tests)}
