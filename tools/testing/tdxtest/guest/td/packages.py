# SPDX-License-Identifier: GPL-2.0-only
"""The VMM, the firmware and the kernel of a TD, unpacked from Debian's packages.

They come from the suites of the isolated apt state and go to the build folder. Nothing
is installed, and no file of a package is changed.
"""

import dataclasses
import lzma
import os
import re
import shutil
from collections.abc import Callable, Collection, Sequence

from tdxtest.base import apt, command
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure
from tdxtest.tree import series

QEMU = 'qemu-system-x86'
# The first one that can start a TD.
QEMU_VERSION = (10, 1)
# Where a package may come from, the best first: a backport is older than unstable.
SUITES = ('trixie-backports', 'unstable', 'trixie')
LIB = 'usr/lib/x86_64-linux-gnu'
LOADER = f'{LIB}/ld-linux-x86-64.so.2'
PROGRAM = 'usr/bin/qemu-system-x86_64'
QEMU_MEMBERS = (f'./{LIB}/*.so*', './usr/lib64/*', f'./{PROGRAM}', './usr/share/qemu/*.bin',
                './usr/share/qemu/*.rom', './usr/share/seabios/*')
# The firmware for TDs has keys of Secure Boot in its variables, with which it refuses a
# kernel without a signature. The variables come first in the file; those of the other
# package are empty.
TDX_FIRMWARE = ('ovmf-inteltdx', 'usr/share/ovmf/OVMF.inteltdx.ms.fd')
VARIABLES = ('ovmf-generic', 'usr/share/OVMF/OVMF_VARS_4M.fd')
# Newer packages of the kernel are split as well: the second kind depends on the others.
KERNELS = ('linux-binary', 'linux-image')
KERNEL_MODULES = 'linux-modules'
# What a TD's init loads.
MODULES = ('tdx-guest', 'virtio-rng')
DEPENDS = re.compile(rb'\0depends=([^\0]*)\0')


@dataclasses.dataclass(frozen=True)
class Unpacked:
    """What came of packages: a folder, and the version of the package that was asked for."""

    folder: str
    version: str

    def path(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)


@dataclasses.dataclass(frozen=True)
class GuestKernel:
    """A kernel for a TD. modules: files, each after those that it needs."""

    image: str
    version: str
    modules: tuple[str, ...] = ()


def kept(folder: str) -> Unpacked | None:
    """What was unpacked before, if it is whole."""
    try:
        with open(os.path.join(folder, 'version'), encoding='utf-8') as f:
            return Unpacked(folder, f.read().strip())
    except FileNotFoundError:
        return None


def unpack(folder: str, version: str, debs: Sequence[str], members: Sequence[str],
           finish: Callable[[str], None] | None = None) -> Unpacked:
    """Unpack members of package files; the stamp comes last, so that a kept one is whole.

    finish: takes the folder, to change what is in it.
    """
    part = folder + '.part'
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    for deb in debs:
        apt.unpack(deb, part, members)
    if finish:
        finish(part)
    with open(os.path.join(part, 'version'), 'w', encoding='utf-8') as f:
        f.write(version + '\n')
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(part, folder)
    return Unpacked(folder, version)


def suite_of(versions: Sequence[tuple[str, str]], least: tuple[int, ...] = ()) -> tuple[str, str]:
    """(version, suite) of the first of SUITES that has a version; ('', '') if none has.

    versions: of AptState.versions().
    """
    for suite in SUITES:
        for version, where in versions:
            if f' {suite}/' in where and apt.version_key(version) >= least:
                return version, suite
    return '', ''


def qemu(build: Build) -> Unpacked:
    """QEMU with the libraries that it needs."""
    folder = build.path('td', 'qemu')
    found = kept(folder)
    if found:
        return found
    state = build.isolated_apt()
    version, suite = suite_of(state.versions(QEMU), QEMU_VERSION)
    if not version:
        raise Failure(f'{state.mirror} has no {QEMU} of '
                      f'{".".join(map(str, QEMU_VERSION))} or later, the first that can start a TD')
    with build.progress.step('td', f'fetching QEMU {version} and its libraries',
                             build.folder_size(os.path.join(state.root, 'cache'))):
        debs = state.download_closure([QEMU], suite, build.log('apt'))
    with build.progress.step('td', f'unpacking {len(debs)} packages'):
        made = unpack(folder, version, debs, QEMU_MEMBERS)
    archives = os.path.join(state.root, 'cache', 'archives')
    shutil.rmtree(archives, ignore_errors=True)
    os.makedirs(os.path.join(archives, 'partial'))
    return made


def libraries(root: Unpacked, program: str) -> list[str]:
    """The libraries that a program of an unpacked root needs, as files of that root."""
    lib = root.path(LIB)
    text = command.output([root.path(LOADER), '--library-path', lib, '--list', program])
    found = [line.split('=>')[1].split()[0] for line in text.splitlines() if '=>' in line]
    missing = [line.strip() for line in text.splitlines() if 'not found' in line]
    if missing:
        raise Failure(f'{program}: {missing[0]}')
    return sorted(path for path in found if path.startswith(root.folder))


def without_keys(firmware_file: str, variables: str, target: str) -> None:
    """Write a firmware with other variables in the place of its own."""
    with open(firmware_file, 'rb') as f:
        data = f.read()
    with open(variables, 'rb') as f:
        empty = f.read()
    if len(empty) >= len(data):
        raise Failure(f'{variables}: {len(empty)} bytes, wanted less than the firmware has')
    with open(target, 'wb') as f:
        f.write(empty + data[len(empty):])


def firmware(build: Build) -> str:
    """The path of OVMF for TDs, with empty variables."""
    folder = build.path('td', 'firmware')
    target = os.path.join(folder, 'OVMF.fd')
    if kept(folder):
        return target
    state = build.isolated_apt()
    debs, versions = [], []
    for package, _ in (TDX_FIRMWARE, VARIABLES):
        found = state.versions(package)
        if not found:
            raise Failure(f'{state.mirror} has no {package}; give a firmware with --firmware')
        versions.append(found[0][0])
        with build.progress.step('td', f'{package} {versions[-1]} by {state.name}'):
            debs.append(state.download(package, versions[-1], build.folder('downloads'),
                                       build.log('apt')))

    def join(part: str) -> None:
        without_keys(os.path.join(part, TDX_FIRMWARE[1]), os.path.join(part, VARIABLES[1]),
                     os.path.join(part, 'OVMF.fd'))

    unpack(folder, versions[0], debs, [f'./{TDX_FIRMWARE[1]}', f'./{VARIABLES[1]}'], join)
    return target


def kernel_packages(names: Collection[str], wanted: str) -> list[str]:
    """The packages of the newest cloud kernel of a series, of any if there is none.

    names: of packages; wanted: a series such as "7.3".
    """
    form = re.compile(rf'({"|".join(KERNELS)})-((\d+\.\d+)\.\S+-cloud-amd64)')
    found = [m for m in map(form.fullmatch, names) if m]
    # KVM's TDX says nothing of a guest's kernel, so another series does as well.
    found = [m for m in found if m[3] == wanted] or found
    if not found:
        return []
    newest = max((m[2] for m in found), key=apt.version_key)
    kinds = [kind for kind in KERNELS if f'{kind}-{newest}' in names]
    modules = [f'{KERNEL_MODULES}-{newest}'] if f'{KERNEL_MODULES}-{newest}' in names else []
    return [f'{kinds[0]}-{newest}', *modules]


def needed_modules(files: dict[str, str]) -> list[str]:
    """MODULES, each after those that it depends on. files: {name with '_': its file}."""
    order: list[str] = []

    def add(name: str) -> None:
        path = files.get(name.replace('-', '_'))
        # What is not there may be built in.
        if not path or path in order:
            return
        with open(path, 'rb') as f:
            depends = DEPENDS.search(b'\0' + f.read())
        for other in depends[1].decode().split(',') if depends else ():
            add(other)
        order.append(path)

    for name in MODULES:
        add(name)
    return order


def keep_kernel(folder: str) -> None:
    """Leave the image and the needed modules in a folder of unpacked packages."""
    files = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if name.endswith('.ko.xz'):
                with lzma.open(path) as packed, open(path[:-3], 'wb') as f:
                    f.write(packed.read())
                path = path[:-3]
            if path.endswith('.ko'):
                files[os.path.basename(path)[:-3].replace('-', '_')] = path
            elif name.startswith('vmlinuz'):
                os.replace(path, os.path.join(folder, 'image'))
    order = needed_modules(files)
    os.makedirs(os.path.join(folder, 'modules'))
    for path in order:
        os.replace(path, os.path.join(folder, 'modules', os.path.basename(path)))
    with open(os.path.join(folder, 'modules.list'), 'w', encoding='utf-8') as f:
        f.writelines(os.path.basename(path) + '\n' for path in order)
    shutil.rmtree(os.path.join(folder, 'usr'), ignore_errors=True)
    shutil.rmtree(os.path.join(folder, 'lib'), ignore_errors=True)


def kernel(build: Build, key: series.Version) -> GuestKernel:
    """A distribution's kernel of the series of a version, else of another."""
    wanted = '.'.join(map(str, key[:2]))
    folder = build.path('td', f'linux-{wanted}')
    made = kept(folder)
    if not made:
        state = build.isolated_apt()
        names = [name for kind in (*KERNELS, KERNEL_MODULES)
                 for name in state.packages(rf'{kind}-[0-9].*-cloud-amd64')]
        packages = kernel_packages(names, wanted)
        if not packages:
            raise Failure(f'{state.mirror} has no kernel for clouds; give one with --guest-kernel')
        version = state.versions(packages[0])[0][0]
        downloads = build.folder('downloads')
        with build.progress.step('td', f'{packages[0]} by {state.name}',
                                 build.folder_size(os.path.join(downloads, 'partial'))):
            debs = [state.download(name, state.versions(name)[0][0], downloads,
                                   build.log('apt')) for name in packages]
            made = unpack(folder, version, debs,
                          ('./usr/lib/modules/*/vmlinuz', './boot/vmlinuz-*', './*.ko',
                           './*.ko.xz'), keep_kernel)
    if not os.path.exists(made.path('image')):
        raise Failure(f'{made.folder} has no kernel; remove it to fetch one again')
    with open(made.path('modules.list'), encoding='utf-8') as f:
        modules = tuple(made.path('modules', line.strip()) for line in f)
    return GuestKernel(made.path('image'), made.version, modules)
