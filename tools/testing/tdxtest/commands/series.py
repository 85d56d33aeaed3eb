# SPDX-License-Identifier: GPL-2.0-only
"""The command that writes the project as a patch series."""

import argparse

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest import request, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options
from tdxtest.tree import patchset


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('series', help='the project as patches for git am',
                                 epilog=EPILOG)
    add_build_options(parser)
    parser.add_argument('-o', '--output', required=True, metavar='DIR',
                        help='an empty folder to write them to')
    parser.add_argument('--author', default='', metavar='"NAME <MAIL>"',
                        help="who signs them off (default: git's user.name and user.email)")
    parser.add_argument('-v', '--reroll-count', type=int, default=1, metavar='N',
                        help='mark it as version N')
    return parser


def run(args: argparse.Namespace) -> int:
    wanted = request.from_arguments(args)
    laid = stages.fetch(wanted, stages.opened(wanted))
    paths = patchset.make(laid.work, args.output, args.author, args.reroll_count)
    for path in paths:
        laid.progress.line(path)
    laid.progress.say(f'series: {len(paths) - 1} patches for Linux {laid.work.source.version}')
    return EXIT_PASS
