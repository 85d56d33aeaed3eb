# SPDX-License-Identifier: GPL-2.0-only
"""The command that names the tests, or the cases of one."""

import argparse

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest import request, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options, add_test_argument
from tdxtest.tree import suite


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('list', help='name the tests, or the cases of one',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_test_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    if not args.tests:
        print('\n'.join(suite.names()))
        return EXIT_PASS
    wanted = request.from_arguments(args)
    built = stages.prepare(wanted)
    for name, _ in wanted.boot.tests:
        for case in built.suite.cases(name):
            print(f'{name}:{case}')
    return EXIT_PASS
