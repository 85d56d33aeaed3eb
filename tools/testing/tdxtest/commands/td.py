# SPDX-License-Identifier: GPL-2.0-only
"""The command that boots a TD with a real VMM, firmware and kernel."""

import argparse

from tdxtest.base.failure import UsageError
from tdxtest.guest import request, runs, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options
from tdxtest.guest.td import request as td_request
from tdxtest.verdict import results


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('td', help='boot a TD with QEMU, its firmware and a kernel of '
                                 'a distribution, judge', epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser, jobs=False)
    td_request.add_options(parser)
    results.add_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    td = td_request.from_arguments(args)
    wanted = request.from_arguments(args, tests=td_request.tests(args)).with_boot(td=td)
    if wanted.boot.machine.runs_host:
        raise UsageError(f'--machine {wanted.boot.machine.option}: td needs a kernel that is '
                         'built here; the host keeps its own')
    built = stages.without_suite(stages.fetch(wanted, stages.opened(wanted)))
    if args.shell:
        verdict = runs.boot_td_shell(built, wanted.boot.tests[0][0])
        return runs.conclude(built.build, verdict, built.work.source.version)
    return runs.conclude_runs([runs.run_suite(built)])
