# SPDX-License-Identifier: GPL-2.0-only
"""The command that fetches and builds."""

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest.options import EPILOG, add_build_options
from tdxtest.guest.stages import Session


def add_parser(commands):
    parser = commands.add_parser('build', help='fetch and build only', epilog=EPILOG)
    add_build_options(parser)
    return parser


def run(args):
    session = Session(args)
    session.prepare()
    session.progress.save(session.build.path('times.json'))
    session.progress.line(session.progress.table())
    return EXIT_PASS
