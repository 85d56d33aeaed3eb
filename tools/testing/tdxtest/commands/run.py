# SPDX-License-Identifier: GPL-2.0-only
"""The command that fetches, builds, boots, runs the tests and judges."""

from tdxtest.guest import host
from tdxtest.guest.options import (EPILOG, add_boot_options, add_build_options,
                                   add_expect_options, add_test_argument)
from tdxtest.guest.stages import Session
from tdxtest.tree import abi
from tdxtest.verdict import results


def add_parser(commands):
    parser = commands.add_parser('run', help='fetch, build, boot, run the tests, judge',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    add_expect_options(parser)
    results.add_options(parser)
    add_test_argument(parser)
    return parser


def run(args):
    if args.abi == 'all':
        return run_generations(args)
    session = Session(args)
    if session.machine.runs_host:
        return session.conclude(host.run(session))
    session.prepare()
    return session.conclude(session.boot(session.suite.select(session.selection)))


def run_generations(args):
    """Build and run one generation of the ABI after the other, in one tree."""
    args.abi = abi.ALL[0]
    session = Session(args)
    session.prepare()
    rows = []
    for name in abi.ALL:
        if name != session.abi:
            session.abi = name
            session.lay()
            session.compile(with_suite=True)
        session.progress.line(f'ABI {name}: expecting {session.expect or name}')
        verdict = session.boot(session.suite.select(session.selection))
        rows.append((name, session.conclude(verdict), verdict.summary))
    for name, _, summary in rows:
        session.progress.line(f'{name:10} {summary}')
    return max(status for _, status, _ in rows)
