# SPDX-License-Identifier: GPL-2.0-only
"""The checks that take longer than a person waits: make check-long."""

import sys

from tdxtest.base import command
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS, UsageError
from tdxtest.base.paths import TOOL
from tdxtest.checks import (ci_files, debug_kernel, git_bisect, kselftest_tarball, patchset,
                            report_page, skips, table, two_cpus)
from tdxtest.commands import coverage, mutate, reload, review
from tdxtest.guest import stages
from tdxtest.guest.options import EPILOG, add_boot_options, add_build_options


def check_plain(session):
    """The suite's first test on a CPU without the MSR of TDX, as a guest of KVM has it."""
    argv = [sys.executable, TOOL, 'run', '--build',
            session.build.root, '--machine', 'bochs-plain', '--jobs', '1', 'tdx_smoke_test']
    with session.build.unlocked():
        said = command.output(argv, check=False).strip().splitlines()
    if not said or not said[-1].startswith('PASS: '):
        yield f'bochs-plain: {said[-1] if said else "no output"}'


# name: a function that takes the prepared session and gives lines that are wrong
CHECKS = {
    'git bisect': git_bisect.check,
    'CI job files, all checkers': ci_files.check_all,
    'installed tests in a guest': kselftest_tarball.check_in_guest,
    'machine without the MSR': check_plain,
    'cases on request': skips.check_on_request,
    'coverage of hypercalls': coverage.check,
    'mutants': mutate.check,
    'two and four CPUs': two_cpus.check_whole,
    'debug kernel': debug_kernel.check,
    'reload of KVM': reload.check,
    'report in a browser': report_page.check,
    'review of a seeded series': review.check,
    'patch series, style': patchset.check_style,
    'patch series, each patch builds': patchset.check_builds,
}


def run(args):
    session = stages.Session(args)
    session.prepare()
    chosen = {name: c for name, c in CHECKS.items() if not args.only or args.only in name}
    if not chosen:
        raise UsageError(f'--only {args.only}: there are {", ".join(CHECKS)}')
    failed = table.run(chosen, session.progress, session)
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
