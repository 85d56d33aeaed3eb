# SPDX-License-Identifier: GPL-2.0-only
"""The command that names the tests, or the cases of one."""

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest.options import EPILOG, add_build_options, add_test_argument
from tdxtest.guest.stages import Session
from tdxtest.tree import suite


def add_parser(commands):
    parser = commands.add_parser('list', help='name the tests, or the cases of one',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_test_argument(parser)
    return parser


def run(args):
    if not args.tests:
        print('\n'.join(suite.names()))
        return EXIT_PASS
    session = Session(args)
    session.prepare()
    for name, _ in session.selection:
        for case in session.suite.cases(name):
            print(f'{name}:{case}')
    return EXIT_PASS
