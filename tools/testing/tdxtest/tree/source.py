# SPDX-License-Identifier: GPL-2.0-only
"""Which kernel: a packaged source, or a person's own tree."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess

from tdxtest.base import apt, command
from tdxtest.base.build_folder import UNFIT, Build
from tdxtest.base.failure import Failure, UsageError
from tdxtest.tree import series

PACKAGE = r'linux-source-[0-9]+\.[0-9]+'
# The first series that a distribution packages with KVM's TDX.
FIRST_PACKAGED = (7, 2)
# KVM's TDX was merged in 6.16.
FIRST_TDX = (6, 16)
# The series that the project was proven on.
PROVEN = ('7.2', '7.3')
MARKERS = ('Makefile', 'Kconfig', 'arch/x86/kvm/vmx/tdx.c')
# What source.json says of a packaged kernel.
Record = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Source:
    """A kernel source.

    name: names its folder in the build folder.
    pristine: the folder of the source as it was given, never written to; it is
    the work tree itself for a packaged kernel, which keeps what it changes.
    """

    name: str
    version: str        # 7.3.4
    origin: str         # package and version, or the person's folder
    pristine: str = ''

    def key(self) -> series.Version:
        return series.parse_version(self.version)


def makefile_version(tree: str) -> str:
    """The version that the top Makefile of a kernel tree gives, '' if none."""
    values: dict[str, str] = {}
    try:
        with open(os.path.join(tree, 'Makefile'), encoding='utf-8', errors='replace') as f:
            for line in f:
                match = re.match(r'(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)\s*=\s*(\S*)', line)
                if match:
                    values.setdefault(match[1], match[2])
    except OSError:
        return ''
    if not {'VERSION', 'PATCHLEVEL', 'SUBLEVEL'} <= set(values):
        return ''
    return '{VERSION}.{PATCHLEVEL}.{SUBLEVEL}'.format(**values) + values.get('EXTRAVERSION', '')


def from_kdir(kdir: str) -> Source:
    """The Source of a person's tree. UsageError when it cannot be one."""
    path = os.path.abspath(os.path.expanduser(kdir))
    if not os.path.isdir(path):
        raise UsageError(f'KDIR={kdir}: no such folder')
    version = makefile_version(path)
    if not version or not os.path.isfile(os.path.join(path, 'Kconfig')):
        raise UsageError(f'KDIR={kdir}: not the top of a Linux source tree')
    if series.parse_version(version) < FIRST_TDX:
        raise UsageError(f'KDIR={kdir}: Linux {version} is older than 6.16, which has the '
                         'first KVM with TDX')
    missing = [m for m in MARKERS if not os.path.isfile(os.path.join(path, m))]
    if missing:
        raise UsageError(f'KDIR={kdir}: {missing[0]} is missing; is the checkout whole?')
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    # The name of a folder where a kernel is built; see build_folder.check_name().
    name = UNFIT.sub('_', os.path.basename(path))
    return Source(f'kdir-{name}-{digest}', version, path, path)


def series_key(name: str) -> series.Version:
    return series.parse_version(name.rsplit('-', 1)[-1])


def unpacked(build: Build) -> dict[str, Record]:
    """{series: record} of the packaged kernels that are unpacked already."""
    found = {}
    folder = build.path('kernels')
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        try:
            with open(os.path.join(folder, name, 'source.json'), encoding='utf-8') as f:
                found[name] = json.load(f)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return found


def candidates(build: Build, refresh: bool) -> list[tuple[str, str, apt.AptState]]:
    """[(package, version, apt state)], the newest version of each series."""
    best = {}

    def look(state: apt.AptState) -> None:
        for package in state.packages(PACKAGE):
            if series_key(package) < FIRST_PACKAGED:
                continue
            versions = [v for v, _ in state.versions(package)]
            if versions and package not in best:
                best[package] = (package, versions[0], state)

    look(apt.AptState())
    try:
        look(build.isolated_apt(refresh))
    except Failure as e:
        # What the system's apt carries may be what is wanted.
        if not best:
            raise
        build.progress.say(f'note: {e}')
    return sorted(best.values(), key=lambda row: series_key(row[0]))


def packaged(build: Build, wanted: str = '', refresh: bool = False) -> Source:
    """The Source of the series `wanted`, '' for the newest; fetched and unpacked.

    What is unpacked is used again without asking apt, unless refresh is set.
    """
    if wanted and not re.fullmatch(r'\d+\.\d+', wanted):
        raise UsageError(f'KERNEL={wanted}: wanted a series such as {" or ".join(PROVEN)}')
    if wanted and series.parse_version(wanted) < FIRST_PACKAGED:
        raise UsageError(f'KERNEL={wanted}: the packaged kernels with TDX start at 7.2; '
                         'for an older one give KDIR=')
    have = unpacked(build)
    default = build.path('kernels', 'default')
    if not wanted and not refresh and os.path.exists(default):
        with open(default, encoding='utf-8') as f:
            wanted_before = f.read().strip()
        if wanted_before in have:
            return as_source(have[wanted_before])
    if wanted in have and not refresh:
        return as_source(have[wanted])

    rows = candidates(build, refresh)
    carried = ', '.join(row[0].rsplit('-', 1)[1] for row in rows) or 'none'
    rows = [row for row in rows if not wanted or row[0] == f'linux-source-{wanted}']
    if not rows:
        raise UsageError(f'KERNEL={wanted}: not packaged; the packaged series are {carried}')
    package, version, state = rows[-1]
    name = package.rsplit('-', 1)[1]
    if name not in PROVEN:
        build.progress.say(f'note: Linux {name} is newer than what this was proven on')
    if have.get(name, {}).get('package_version') != version:
        have[name] = fetch(build, name, package, version, state)
    if not wanted:
        with open(default, 'w', encoding='utf-8') as f:
            f.write(name + '\n')
    return as_source(have[name])


def as_source(record: Record) -> Source:
    return Source(record['series'], record['version'],
                  f'{record["package"]} {record["package_version"]}')


def downloaded(build: Build, package: str, version: str) -> str:
    """The path of a package file that was fetched before, '' if it was not."""
    folder = build.folder('downloads')
    head = f'{package}_{version.replace(":", "%3a")}_'
    have = [n for n in os.listdir(folder) if n.startswith(head) and n.endswith('.deb')]
    return os.path.join(folder, have[0]) if have else ''


def fetch(build: Build, name: str, package: str, version: str, state: apt.AptState) -> Record:
    """Download and unpack a packaged kernel; gives its record."""
    downloads = build.folder('downloads')
    deb = downloaded(build, package, version)
    if not deb:
        with build.progress.step('fetch', f'{package} {version} by {state.name}',
                                 build.folder_size(os.path.join(downloads, 'partial'))):
            deb = state.download(package, version, downloads, build.log('apt'))
    folder = build.path('kernels', name)
    with build.progress.step('unpack', os.path.basename(deb)):
        # Stamps of the kernel that lay here go first, source.json comes last.
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, 'tree'))
        unpack(deb, package, os.path.join(folder, 'tree'))
    record = {'series': name, 'package': package, 'package_version': version,
              'version': makefile_version(os.path.join(folder, 'tree'))}
    if not record['version']:
        raise Failure(f'{deb} holds no Linux source')
    temp = os.path.join(folder, 'source.json.tmp')
    with open(temp, 'w', encoding='utf-8') as f:
        json.dump(record, f, indent=1)
    os.replace(temp, os.path.join(folder, 'source.json'))
    return record


def unpack(deb: str, package: str, tree: str) -> None:
    """Unpack the source tar inside a package into `tree`."""
    member = f'./usr/src/{package}.tar.xz'
    commands = (['dpkg-deb', '--fsys-tarfile', deb], ['tar', '-xO', member],
                ['tar', '-xJ', '-C', tree, '--strip-components=1'])
    processes: list[subprocess.Popen[str]] = []
    pipe = None
    for argv in commands:
        last = argv is commands[-1]
        processes.append(subprocess.Popen(argv, env=command.environment(), text=True,
                                          stdin=pipe or subprocess.DEVNULL, errors='replace',
                                          stdout=None if last else subprocess.PIPE,
                                          stderr=subprocess.PIPE if last else subprocess.DEVNULL))
        if pipe:
            pipe.close()
        pipe = processes[-1].stdout
    errors = processes[-1].communicate()[1].strip().splitlines()
    failed = [argv[0] for argv, p in zip(commands, processes) if p.wait()]
    if failed:
        why = errors[0] if errors else f'{failed[0]} failed; remove it to fetch it again'
        raise Failure(f'unpacking {deb}: {why}')
