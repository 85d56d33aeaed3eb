# SPDX-License-Identifier: GPL-2.0-only
"""The command that boots an image of the command package; it needs no kernel source."""

import argparse
import os

from tdxtest.base.failure import UsageError
from tdxtest.base.progress import Meter
from tdxtest.commands.package import IMAGE_FORMAT
from tdxtest.guest import boot, machines, request, runs, stages
from tdxtest.guest.machines import Machine
from tdxtest.guest.options import (EPILOG, Commands, add_boot_options, add_place_options,
                                   add_show_options)
from tdxtest.verdict import judging, results
from tdxtest.verdict.results import Results


def description(image: str) -> Results:
    """What the file beside the image says of it."""
    return results.load_tagged(f'{os.path.splitext(image)[0]}.json', IMAGE_FORMAT,
                               'tdxtest.py package')


def check_machine(machine: Machine, about: Results) -> None:
    """UsageError when the image was made for a machine that needs something else."""
    made_for = machines.named(about['machine'])
    if machine.runs_host or machine.parameters != made_for.parameters:
        raise UsageError(f'the image is for {made_for.name}; make one with tdxtest.py package '
                         f'--machine {machine.name}')


def run(args: argparse.Namespace) -> int:
    about = description(args.image)
    if not os.path.isfile(args.image):
        raise UsageError(f'{args.image} is not there')
    wanted = request.from_arguments(args)
    machine = wanted.boot.machine
    check_machine(machine, about)
    build = stages.opened(wanted)
    progress = build.progress
    installation = machine.prepare(build)
    guest = runs.new_guest(wanted, build.folder('run', 'image'))
    progress.say(f'image: Linux {about["kernel"]}, {about["abi"]}')
    seen = runs.view_of(progress, wanted, [[(name, []) for name in about['tests']]],
                        about['tests'].get)
    boot.run_step(progress, 'boot', f'{machine.name} {installation.version}', [guest],
                  [os.path.abspath(args.image)], installation, wanted.boot.cpus, view=seen,
                  meter=Meter(seen.count, 'cases', seen.total) if seen else None)
    if seen:
        seen.conclude()
    guests = [(guest.console, guest.ended, about['tests'])]
    verdict = judging.judge_all(guests)
    found = results.collect(guests, verdict, {key: value for key, value in about.items()
                                              if key not in ('format', 'tests')} |
                            {'cpus': wanted.boot.cpus})
    for line in (*verdict.problems, *verdict.notes):
        progress.line(f'  {line}')
    progress.line(f'{verdict.summary} (Linux {about["kernel"]})')
    results.write(build.path(results.LAST), results.to_json([found]))
    results.save([found], wanted.output)
    return verdict.status


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('boot-image', epilog=EPILOG,
                                 help='boot an image of tdxtest.py package, and judge')
    add_place_options(parser)
    add_boot_options(parser, jobs=False)
    results.add_options(parser)
    add_show_options(parser)
    parser.add_argument('image', metavar='FILE.iso')
    return parser
