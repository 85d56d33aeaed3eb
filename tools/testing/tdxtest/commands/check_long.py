# SPDX-License-Identifier: GPL-2.0-only
"""The command that runs the checks which take longer than a person waits."""

import argparse

from tdxtest.base import checking
from tdxtest.base.checking import When
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.guest import request, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('check-long', help='the checks that take many minutes',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--only', default='', metavar='TEXT',
                        help='only those whose name has the text')
    return parser


def run(args: argparse.Namespace) -> int:
    chosen = checking.chosen((When.LONG,), args.only)
    built = stages.prepare(request.from_arguments(args))
    skipped: list[str] = []
    failed = checking.run(chosen, When.LONG, built.progress, built, skipped)
    left_out = f', {len(skipped)} skipped: {", ".join(skipped)}' if skipped else ''
    built.progress.line(f'FAIL: {failed} long check(s) found something wrong{left_out}' if failed
                        else f'PASS: {len(chosen) - len(skipped)} long check(s){left_out}')
    return EXIT_FAIL if failed else EXIT_PASS
