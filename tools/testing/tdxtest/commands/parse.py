# SPDX-License-Identifier: GPL-2.0-only
"""The command that judges a saved console."""

import argparse
import sys

from tdxtest.guest import request
from tdxtest.guest.options import EPILOG, Commands, add_strict_option
from tdxtest.verdict import judging, results


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('parse', help='judge a saved console log', epilog=EPILOG)
    results.add_options(parser)
    add_strict_option(parser)
    parser.add_argument('log', nargs='+', help='the logs of the guests of one run, '
                                               '- for standard input')
    return parser


def run(args: argparse.Namespace) -> int:
    guests = []
    for log in args.log:
        # Standard input is opened by its number: it need not be valid text.
        with open(0 if log == '-' else log, encoding='utf-8', errors='replace',
                  closefd=log != '-') as f:
            guests.append(results.parse_log(f))
    verdict = judging.judge_all(guests, strict=args.strict)
    # If the results go to standard output, nothing else may be printed there.
    out = sys.stderr if '-' in (args.json, args.junit, args.lava) else sys.stdout
    for line in (*verdict.problems, *verdict.notes):
        print(f'  {line}', file=out)
    print(verdict.summary, file=out)
    found = results.collect(guests, verdict, {'logs_of': args.log})
    results.save([found], request.part(results.Output, vars(args)))
    return verdict.status
