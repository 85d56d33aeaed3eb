# SPDX-License-Identifier: GPL-2.0-only
"""The command that writes the project as a patch series."""

import argparse
import collections
from collections.abc import Sequence

from tdxtest.base.failure import EXIT_PASS, UsageError
from tdxtest.guest import request, stages
from tdxtest.guest.options import EPILOG, Commands, add_build_options
from tdxtest.tree import parts, patchset
from tdxtest.verdict import ktap, results


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('series', help='the project as patches for git am',
                                 epilog=EPILOG)
    add_build_options(parser)
    parser.add_argument('-o', '--output', required=True, metavar='DIR',
                        help='an empty folder to write them to')
    parser.add_argument('--author', default='', metavar='"NAME <MAIL>"',
                        help="who signs them off (default: git's user.name and user.email)")
    parser.add_argument('-v', '--reroll-count', type=int, default=1, metavar='N',
                        help='mark it as version N')
    parser.add_argument('--part', default='', metavar='NAME',
                        help='only a part that can be posted by itself: '
                             f'{", ".join(part.name for part in parts.load())}')
    return parser


def tested(last: str, version: str, tests: Sequence[str]) -> str:
    """What the last run says of a kernel and tests, all without any; for a cover letter."""
    try:
        found = [row for row in results.load(last) if row['kernel'] == version]
    except UsageError:
        found = []
    if not found:
        return f'No run on Linux {version} is at hand.'
    last_run = found[-1]
    rows = [row for test in last_run['tests'] if test['name'] in tests or
            (not tests and test['name'] not in ktap.FRAME) for row in results.reported(test)]
    missing = sorted(set(tests) - {test['name'] for test in last_run['tests']})
    count = collections.Counter(map(results.outcome, rows))
    words = {'pass': 'passed', 'fail': 'failed', 'skip': 'were skipped',
             ktap.XFAIL: 'failed for known bugs of KVM', ktap.XPASS: 'passed in spite of a finding'}
    told = ', '.join(f'{count[key]} {word}' for key, word in words.items() if count[key])
    patched = f' with {", ".join(last_run["patches"])}' if last_run.get('patches') else ''
    return (f'Run on Linux {version}{patched} ({last_run["machine"]}, with the simulated TDX '
            f'module), cases: {told or "none"}.'
            + (f' Not run: {", ".join(missing)}.' if missing else '')
            + ' Not run with a TDX module of Intel.')


def run(args: argparse.Namespace) -> int:
    wanted = request.from_arguments(args)
    laid = stages.fetch(wanted, stages.opened(wanted))
    version = laid.work.source.version
    if args.part:
        cutter = parts.Cutter(laid.work.source.key())
        piece = cutter.piece(args.part)
        said = tested(laid.build.path(results.LAST), version, parts.tests_in(piece))
        paths = parts.make(laid.work, piece, args.output, args.author, args.reroll_count, said)
        rest = [other.name for other in cutter.pieces()
                if other.part == piece.part and other is not piece and other.name != piece.name]
        if rest:
            laid.progress.say(f'series: the rest of {piece.part.name} is {", ".join(rest)}')
    else:
        paths = patchset.make(laid.work, args.output, args.author, args.reroll_count)
    for path in paths:
        laid.progress.line(path)
    laid.progress.say(f'series: {len(paths) - 1} patches for Linux {version}')
    return EXIT_PASS
