# SPDX-License-Identifier: GPL-2.0-only
"""The command that lists the bugs of KVM that the suite found."""

import argparse
import os
from collections.abc import Iterable, Iterator

from tdxtest.base.failure import EXIT_PASS, UsageError
from tdxtest.base.paths import FINDINGS
from tdxtest.guest.options import EPILOG, Commands
from tdxtest.verdict import findings, results
from tdxtest.verdict.findings import Finding

SPDX = '.. SPDX-License-Identifier: GPL-2.0-only\n'
HEAD = 'Findings: bugs of KVM'
INTRODUCTION = """\
Each of these bugs was found by the TDX selftests, on a kernel that nothing was changed
of.  The severest come first.
"""
# As they begin the field Severity, the worst first.
SEVERITIES = ('critical', 'high', 'medium', 'low', 'none', 'a matter of opinion')


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('findings', help='list the bugs of KVM that the suite found',
                                 epilog=EPILOG)
    parser.add_argument('-o', '--output', default='', metavar='FILE',
                        help='write all of them as one page in reStructuredText, - for '
                             'standard output')
    parser.add_argument('numbers', nargs='*', metavar='NUMBER', help='print these only, whole')
    return parser


def rank(finding: Finding) -> tuple[int, int]:
    """The place of a finding on the page."""
    first = finding.severity.partition(',')[0]
    return SEVERITIES.index(first) if first in SEVERITIES else len(SEVERITIES), finding.number


def body(finding: Finding) -> str:
    """A finding's page without the line of its licence."""
    return finding.text.removeprefix(SPDX).strip('\n') + '\n'


def page(found: Iterable[Finding]) -> str:
    """One page of all findings."""
    line = '#' * len(HEAD)
    return '\n'.join([SPDX, line, HEAD, line, '', INTRODUCTION,
                      *map(body, sorted(found, key=rank))])


def table(found: Iterable[Finding]) -> Iterator[str]:
    """A line for each finding, the severest first."""
    for finding in sorted(found, key=rank):
        what = finding.severity.partition(',')[0]
        fix = 'fix' if finding.has_fix() else 'no fix'
        yield f'{finding.number:3}  {what:20} {fix:7} {finding.title}'


def run(args: argparse.Namespace) -> int:
    found = {str(finding.number): finding for finding in findings.load()}
    for number in args.numbers:
        if number not in found:
            raise UsageError(f'no finding {number}; there are {", ".join(found)}')
    if args.output:
        results.write(args.output, page(found.values()))
    elif args.numbers:
        print('\n'.join(body(found[number]) for number in args.numbers), end='')
    else:
        print('\n'.join(table(found.values())))
        print(f'Patches and whole texts: {os.path.relpath(FINDINGS)}/, patches/fixes/')
    return EXIT_PASS
