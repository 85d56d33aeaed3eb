# SPDX-License-Identifier: GPL-2.0-only
"""The command that runs the project's own checks, then the suite."""

import argparse

from tdxtest.base import apt, checking
from tdxtest.base.checking import When
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.base.progress import Progress
from tdxtest.guest import request, runs, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options

# With --static, and without.
STATIC = (When.STATIC, When.TREE)
ALL = (*STATIC, When.SUITE, When.BOOT, When.RUN)


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('check', help="the project's own checks, then a run",
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--static', action='store_true',
                        help='only what needs no boot: tables, style, unit tests')
    parser.add_argument('--only', default='', metavar='TEXT',
                        help='only the checks whose name has the text, and what they need')
    return parser


def ended(progress: Progress, failed: int) -> int:
    """Say how many checks failed where the suite does not run; gives the exit status."""
    progress.line(f'{failed} check(s) found something wrong')
    return EXIT_FAIL if failed else EXIT_PASS


def run(args: argparse.Namespace) -> int:
    checks = checking.chosen(STATIC if args.static else ALL, args.only)
    due = {check.WHEN for check in checks}
    wanted = request.from_arguments(args)
    build = stages.opened(wanted)
    progress = build.progress
    # The unit tests run some of the programs that a fresh machine lacks.
    for what in ('', 'check'):
        apt.ensure_installed(progress, build.log('apt'), what)
    with progress.step('check', "the project's own checks"):
        failed = checking.run(checks, When.STATIC, progress, progress)
    if due == {When.STATIC}:
        return ended(progress, failed)
    laid = stages.fetch(wanted, build)
    if When.TREE in due:
        with progress.step('check', 'the overlay and the style, against the kernel'):
            failed += checking.run(checks, When.TREE, progress, laid.work)
    if due <= set(STATIC):
        return ended(progress, failed)
    built = stages.compile_all(laid)
    failed += checking.run(checks, When.SUITE, progress, built.suite)
    failed += checking.run(checks, When.BOOT, progress, built)
    if When.RUN not in due:
        return ended(progress, failed)
    done = runs.run_suite(built)
    failed += checking.run(checks, When.RUN, progress, done)
    status = runs.conclude_runs([done])
    if failed:
        progress.line(f'FAIL: {failed} check(s) above found something wrong')
    return status or (EXIT_FAIL if failed else EXIT_PASS)
