# SPDX-License-Identifier: GPL-2.0-only
"""The command that fetches, builds, boots, runs the tests and judges."""

import argparse
import sys

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import EXIT_NOT_RUN, Failure
from tdxtest.base.progress import Progress
from tdxtest.guest import host, request, runs, stages, watching
from tdxtest.guest.options import (EPILOG, Commands, add_boot_options, add_build_options,
                                   add_expect_options, add_shard_option, add_show_options,
                                   add_strict_option, add_test_argument)
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
    add_show_options(parser)
    add_shard_option(parser)
    # bench has an option of this name, which asks for something else.
    parser.add_argument('--repeat', dest='repetitions', type=int,
                        default=request.BootRequest.repeat, metavar='N',
                        help='run each test N times in a guest, and tell in which of them what '
                             'failed; --total counts N times (default: %(default)s)')
    parser.add_argument('--cost', action='store_true',
                        help='each test prints where the cost of its cases goes, for bench')
    parser.add_argument('--watch', action='store_true',
                        help='run again when a source file changes, what failed first')
    add_test_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    if args.abi == 'all':
        return run_generations(request.from_arguments(args, abi=abi.ALL[0]))
    wanted = request.from_arguments(args)
    if args.watch:
        return watch(wanted)
    return run_once(wanted, stages.opened(wanted, progress_of(wanted)))


def progress_of(wanted: request.Request) -> Progress | None:
    """If results go to standard output, nothing else may be printed there."""
    return Progress(sys.stderr) if wanted.output.to_standard_output() else None


def run_once(wanted: request.Request, build: Build) -> int:
    """Build and run; gives the exit status."""
    if wanted.boot.machine.runs_host:
        return runs.conclude_runs([host.run(wanted, build)])
    return runs.conclude_runs([runs.run_suite(stages.compile_all(stages.fetch(wanted, build)))])


def watch(wanted: request.Request) -> int:
    """Run again after each change of a source file, until interrupted; the last exit status."""
    folders = watching.roots(wanted)
    status = EXIT_NOT_RUN
    while True:
        before = watching.state(folders)
        build = stages.opened(wanted, progress_of(wanted))
        try:
            status = run_once(wanted, build)
        except Failure as e:
            build.progress.line(f'tdxtest: {e}')
            status = e.status
        finally:
            # Other runs may use the folder meanwhile.
            build.close()
        try:
            build.progress.line('waiting for a change; Control-C ends this')
            changed = watching.wait(folders, before)
        except KeyboardInterrupt:
            return status
        build.progress.line(f'changed: {", ".join(changed[:3])}'
                            + (f' and {len(changed) - 3} more' if len(changed) > 3 else ''))


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
