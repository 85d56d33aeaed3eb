# SPDX-License-Identifier: GPL-2.0-only
"""The checks that take longer than a person waits: make check-long."""

import os
import sys

import bisection_check
import check
import ci_check
import command
import debug_check
import gcov
import mutate
import package_check
import patchset_check
import reload
import report_check
import review
import skips
import smp_check
import stages
from build import HERE
from failure import EXIT_FAIL, EXIT_PASS, UsageError
from options import EPILOG, add_boot_options, add_build_options


def check_plain(session):
    """The suite's first test on a CPU without the MSR of TDX, as a guest of KVM has it."""
    argv = [sys.executable, os.path.join(HERE, 'tdxtest.py'), 'run', '--build',
            session.build.root, '--machine', 'bochs-plain', '--jobs', '1', 'tdx_smoke_test']
    with session.build.unlocked():
        said = command.output(argv, check=False).strip().splitlines()
    if not said or not said[-1].startswith('PASS: '):
        yield f'bochs-plain: {said[-1] if said else "no output"}'


# name: a function that takes the prepared session and gives lines that are wrong
CHECKS = {
    'git bisect': bisection_check.check,
    'CI job files, all checkers': ci_check.check_all,
    'installed tests in a guest': package_check.check_in_guest,
    'machine without the MSR': check_plain,
    'cases on request': skips.check_on_request,
    'coverage of hypercalls': gcov.check,
    'mutants': mutate.check,
    'two and four CPUs': smp_check.check_whole,
    'debug kernel': debug_check.check,
    'reload of KVM': reload.check,
    'report in a browser': report_check.check,
    'review of a seeded series': review.check,
    'patch series, style': patchset_check.check_style,
    'patch series, each patch builds': patchset_check.check_builds,
}


def run(args):
    session = stages.Session(args)
    session.prepare()
    chosen = {name: c for name, c in CHECKS.items() if not args.only or args.only in name}
    if not chosen:
        raise UsageError(f'--only {args.only}: there are {", ".join(CHECKS)}')
    failed = check.run(chosen, session.progress, session)
    session.progress.line(f'FAIL: {failed} long check(s) found something wrong' if failed else
                          f'PASS: {len(chosen)} long check(s)')
    return EXIT_FAIL if failed else EXIT_PASS


def add_parser(commands):
    parser = commands.add_parser('check-long', help='the checks that take many minutes',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--only', default='', metavar='TEXT',
                        help='only those whose name has the text')
    return parser
