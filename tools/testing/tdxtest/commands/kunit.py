# SPDX-License-Identifier: GPL-2.0-only
"""The command that runs the KUnit tests alone."""

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.guest import stages
from tdxtest.guest.options import EPILOG, add_boot_options, add_build_options
from tdxtest.verdict import kunit


def add_parser(commands):
    parser = commands.add_parser('kunit', help='the KUnit tests of the simulated TDX module',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    return parser


def run(args):
    session = stages.Session(args)
    session.prepare(with_suite=False)
    wrong, summary, text = kunit.boot_tests(session)
    for line in (text.rstrip(), *wrong, summary):
        session.progress.line(line)
    return EXIT_FAIL if wrong else EXIT_PASS
