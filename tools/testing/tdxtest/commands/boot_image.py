# SPDX-License-Identifier: GPL-2.0-only
"""Boots an image that package.py made: it needs the emulator, and no kernel source."""

import os

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import UsageError
from tdxtest.base.progress import Progress
from tdxtest.commands.package import IMAGE_FORMAT
from tdxtest.guest import boot, machines
from tdxtest.guest.options import EPILOG, add_boot_options, add_place_options
from tdxtest.verdict import ktap, results


def description(image):
    """What the file beside the image says of it."""
    return results.load_tagged(f'{os.path.splitext(image)[0]}.json', IMAGE_FORMAT,
                               'tdxtest.py package')


def check_machine(machine, about):
    """UsageError when the image was made for a machine that needs something else."""
    made_for = machines.named(about['machine'])
    if machine.runs_host or machine.parameters != made_for.parameters:
        raise UsageError(f'the image is for {made_for.name}; make one with tdxtest.py package '
                         f'--machine {machine.name}')


def run(args):
    about = description(args.image)
    if not os.path.isfile(args.image):
        raise UsageError(f'{args.image} is not there')
    machine = machines.named(args.machine)
    machine.check_cpus(args.cpus)
    check_machine(machine, about)
    progress = Progress()
    build = Build(args.build, progress, args.mirror)
    installation = machine.prepare(build)
    guest = boot.Guest(machine, build.folder('run', 'image'),
                       boot.Limits(args.silence, args.total), args.verbose)
    progress.say(f'image: Linux {about["kernel"]}, {about["abi"]}')
    boot.run_step(progress, 'boot', f'{machine.name} {installation.version}', [guest],
                  [os.path.abspath(args.image)], installation, args.cpus)
    guests = [(guest.console, guest.ended, about['tests'])]
    verdict = ktap.judge_all(guests)
    found = results.collect(guests, verdict, {key: value for key, value in about.items()
                                              if key not in ('format', 'tests')})
    for problem in verdict.problems:
        progress.line(f'  {problem}')
    progress.line(f'{verdict.summary} (Linux {about["kernel"]})')
    results.write(build.path(results.LAST), results.to_json([found]))
    results.save([found], args)
    return verdict.status


def add_parser(commands):
    parser = commands.add_parser('boot-image', epilog=EPILOG,
                                 help='boot an image of tdxtest.py package, and judge')
    add_place_options(parser)
    add_boot_options(parser, jobs=False)
    results.add_options(parser)
    parser.add_argument('image', metavar='FILE.iso')
    return parser
