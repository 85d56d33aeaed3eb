# SPDX-License-Identifier: GPL-2.0-only
"""The command that runs the project's own tests, then the suite."""

from tdxtest.base import apt, checking
from tdxtest.base.checking import When
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.guest import request, runs, stages
from tdxtest.guest.options import EPILOG, add_boot_options, add_build_options


def add_parser(commands):
    parser = commands.add_parser('check', help="the project's own tests, then a run",
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--static', action='store_true',
                        help='only what needs no boot: tables, style, unit tests')
    return parser


def run(args):
    wanted = request.from_arguments(args)
    build = stages.opened(wanted)
    progress = build.progress
    checks = checking.load()
    # The unit tests run some of the programs that a fresh machine lacks.
    apt.ensure_installed(progress, build.log('apt'))
    with progress.step('check', "the project's own tests"):
        failed = checking.run(checks, When.STATIC, progress, progress)
    laid = stages.fetch(wanted, build)
    with progress.step('check', 'the overlay and the style, against the kernel'):
        failed += checking.run(checks, When.TREE, progress, laid.work)
    if args.static:
        progress.line(f'{failed} check(s) found something wrong')
        return EXIT_FAIL if failed else EXIT_PASS
    built = stages.compile_all(laid)
    failed += checking.run(checks, When.SUITE, progress, built.suite)
    failed += checking.run(checks, When.BOOT, progress, built)
    done = runs.run_suite(built)
    failed += checking.run(checks, When.RUN, progress, done)
    status = runs.conclude_runs([done])
    if failed:
        progress.line(f'FAIL: {failed} check(s) above found something wrong')
    return status or (EXIT_FAIL if failed else EXIT_PASS)
