# SPDX-License-Identifier: GPL-2.0-only
"""The command that boots without tests, or to a shell."""

import argparse

from tdxtest.guest import request, runs, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('boot', help='build and boot without tests', epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--shell', action='store_true',
                        help='an interactive shell in the guest; the tests are in /tests')
    return parser


def run(args: argparse.Namespace) -> int:
    wanted = request.from_arguments(args)
    laid = stages.fetch(wanted, stages.opened(wanted))
    if args.shell:
        verdict = runs.boot_shell(stages.compile_all(laid))
    else:
        verdict = runs.boot_only(stages.without_suite(laid))
    return runs.conclude(laid.build, verdict, laid.work.source.version)
