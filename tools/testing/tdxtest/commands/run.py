# SPDX-License-Identifier: GPL-2.0-only
"""The command that fetches, builds, boots, runs the tests and judges."""

import argparse

from tdxtest.guest import host, request, runs, stages
from tdxtest.guest.options import (EPILOG, Commands, add_boot_options, add_build_options,
                                   add_expect_options, add_strict_option, add_test_argument)
from tdxtest.tree import abi
from tdxtest.verdict import results


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('run', help='fetch, build, boot, run the tests, judge',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    add_expect_options(parser)
    add_strict_option(parser)
    results.add_options(parser)
    add_test_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    if args.abi == 'all':
        return run_generations(request.from_arguments(args, abi=abi.ALL[0]))
    wanted = request.from_arguments(args)
    if wanted.boot.machine.runs_host:
        return runs.conclude_runs([host.run(wanted, stages.opened(wanted))])
    return runs.conclude_runs([runs.run_suite(stages.prepare(wanted))])


def run_generations(wanted: request.Request) -> int:
    """Build and run one generation of the ABI after the other, in one tree."""
    laid = stages.fetch(wanted, stages.opened(wanted))
    done: list[runs.Run] = []
    rows = []
    for name in abi.ALL:
        laid = laid.with_build(abi=name)
        if done:
            stages.lay(laid)
        built = stages.compile_all(laid)
        laid.progress.line(f'ABI {name}: expecting {wanted.expect.generation or name}')
        done.append(runs.run_suite(built))
        rows.append((name, runs.conclude_runs(done), done[-1].verdict.summary))
    for name, _, summary in rows:
        laid.progress.line(f'{name:10} {summary}')
    return max(status for _, status, _ in rows)
