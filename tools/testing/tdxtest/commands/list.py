# SPDX-License-Identifier: GPL-2.0-only
"""The command that names the tests, or the cases of one."""

import argparse
import sys

from tdxtest.base.failure import EXIT_PASS
from tdxtest.base.progress import Progress
from tdxtest.guest import request, shards, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options, add_test_argument
from tdxtest.tree import suite, td_tests
from tdxtest.tree.suite import Suite


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('list', help='name the tests, or the cases of one',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_test_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    if not args.tests:
        print('\n'.join((*suite.names(), *td_tests.NAMES)))
        return EXIT_PASS
    wanted = request.from_arguments(args)
    # The names of cases are in the programs, which need no kernel.
    names = list(dict.fromkeys(name for name, _ in wanted.boot.tests
                               if name not in td_tests.NAMES))
    progress = Progress(sys.stderr)
    laid = stages.fetch(wanted, stages.opened(wanted, progress))
    built = stages.compile_suite(laid, names) if names else Suite(laid.build, laid.work)
    for name, args_of in built.select(wanted.boot.tests):
        for case in shards.chosen(args_of) or built.cases(name):
            print(f'{name}:{case}')
    return EXIT_PASS
