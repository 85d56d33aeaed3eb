# SPDX-License-Identifier: GPL-2.0-only
"""The command that makes a kselftest tarball of the suite and a boot image, for CI systems."""

import argparse
import json
import os
import shutil

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest import request, runs, shards, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options, add_machine_option
from tdxtest.guest.stages import Built
from tdxtest.tree import kselftest
from tdxtest.verdict import results

IMAGE_FORMAT = 'tdxtest-image-1'


def boot_files(built: Built, folder: str, shard: shards.Shard = shards.WHOLE) -> list[str]:
    """Make the boot image with all tests and its parts; gives the paths of both.

    shard: only a part of the tests.
    """
    built = built.with_boot(shard=shard)
    end = '-{}of{}'.format(*shard) if shard != shards.WHOLE else ''
    stem = os.path.join(folder, f'tdxtest-{built.work.source.name}{end}')
    scratch = built.build.folder('package', 'image')
    tests = shards.part(built.suite.select([]), built.suite.cases, shard)
    with built.progress.step('image', 'making the initramfs and the boot image'):
        iso = runs.boot_image(built, scratch, tests)
    shutil.copy2(iso, f'{stem}.iso')
    shutil.copy2(os.path.join(scratch, 'initrd'), f'{stem}.initrd')
    shutil.copy2(built.kernel.image(), f'{stem}.bzImage')
    about = {'format': IMAGE_FORMAT, **runs.about(built),
             'tests': {name: shards.chosen(words) or built.suite.cases(name)
                       for name, words in tests}}
    results.write(f'{stem}.json', json.dumps(about, indent=1) + '\n')
    return [f'{stem}.{end}' for end in ('iso', 'json', 'bzImage', 'initrd')]


def shard_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text}: wanted a number of images, 1 or more')
    return int(text)


def run(args: argparse.Namespace) -> int:
    built = stages.prepare(request.from_arguments(args))
    if args.install:
        kselftest.make(built.build, built.suite.work, 'install', os.path.abspath(args.install))
        built.progress.say(f'package: installed into {args.install}')
        return EXIT_PASS
    folder = os.path.abspath(args.output) if args.output else built.build.folder('package')
    os.makedirs(folder, exist_ok=True)
    tarball = kselftest.tarball(built.build, built.suite.work, built.work.source.name, folder)
    count = args.shards
    images = [path for number in range(1, count + 1)
              for path in boot_files(built, folder, (number, count))]
    for path in (tarball, *images):
        built.progress.say(f'package: {path}, {os.path.getsize(path) / 1e6:.1f} MB')
    return EXIT_PASS


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('package', help='a kselftest tarball and a boot image for CI',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_machine_option(parser)
    parser.add_argument('-o', '--output', default='', metavar='DIR',
                        help='where to put them (default: package/ of the build folder)')
    parser.add_argument('--shards', type=shard_count, default=1, metavar='N',
                        help='make N boot images, which share the cases (default: 1)')
    parser.add_argument('--install', default='', metavar='DIR',
                        help='only install the suite into DIR, in the layout of kselftest')
    return parser
