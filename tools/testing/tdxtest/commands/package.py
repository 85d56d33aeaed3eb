# SPDX-License-Identifier: GPL-2.0-only
"""The command that makes a kselftest tarball of the suite and a boot image, for CI systems."""

import argparse
import json
import os
import shutil

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest import request, runs, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options, add_machine_option
from tdxtest.guest.stages import Built
from tdxtest.tree import kselftest
from tdxtest.verdict import results

IMAGE_FORMAT = 'tdxtest-image-1'


def boot_files(built: Built, folder: str) -> list[str]:
    """Make the boot image with all tests, and what it is made of; gives their paths."""
    stem = os.path.join(folder, f'tdxtest-{built.work.source.name}')
    scratch = built.build.folder('package', 'image')
    tests = built.suite.select([])
    with built.progress.step('image', 'making the initramfs and the boot image'):
        iso = runs.boot_image(built, scratch, tests)
    shutil.copy2(iso, f'{stem}.iso')
    shutil.copy2(os.path.join(scratch, 'initrd'), f'{stem}.initrd')
    shutil.copy2(built.kernel.image(), f'{stem}.bzImage')
    about = {'format': IMAGE_FORMAT, **runs.about(built),
             'tests': {name: built.suite.cases(name) for name, _ in tests}}
    results.write(f'{stem}.json', json.dumps(about, indent=1) + '\n')
    return [f'{stem}.{end}' for end in ('iso', 'json', 'bzImage', 'initrd')]


def run(args: argparse.Namespace) -> int:
    built = stages.prepare(request.from_arguments(args))
    if args.install:
        kselftest.make(built.build, built.suite.work, 'install', os.path.abspath(args.install))
        built.progress.say(f'package: installed into {args.install}')
        return EXIT_PASS
    folder = os.path.abspath(args.output) if args.output else built.build.folder('package')
    os.makedirs(folder, exist_ok=True)
    tarball = kselftest.tarball(built.build, built.suite.work, built.work.source.name, folder)
    for path in (tarball, *boot_files(built, folder)):
        built.progress.say(f'package: {path}, {os.path.getsize(path) / 1e6:.1f} MB')
    return EXIT_PASS


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('package', help='a kselftest tarball and a boot image for CI',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_machine_option(parser)
    parser.add_argument('-o', '--output', default='', metavar='DIR',
                        help='where to put them (default: package/ of the build folder)')
    parser.add_argument('--install', default='', metavar='DIR',
                        help='only install the suite into DIR, in the layout of kselftest')
    return parser
