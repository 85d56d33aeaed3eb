# SPDX-License-Identifier: GPL-2.0-only
"""The command that fetches and builds."""

import argparse

from tdxtest.base.failure import EXIT_PASS
from tdxtest.guest import request, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('build', help='fetch and build only', epilog=EPILOG)
    add_build_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    built = stages.prepare(request.from_arguments(args))
    built.progress.save(built.build.path('times.json'))
    built.progress.line(built.progress.table())
    return EXIT_PASS
