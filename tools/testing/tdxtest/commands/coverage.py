# SPDX-License-Identifier: GPL-2.0-only
"""The command that tells which lines and branches of KVM's TDX code the suite runs."""

import argparse
import collections
import dataclasses
import json
import os
from collections.abc import Collection, Iterable, Sequence

from tdxtest.base import apt, command, stanzas
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS, Failure
from tdxtest.base.paths import TABLES
from tdxtest.guest import machines, request, runs, stages
from tdxtest.guest.options import (EPILOG, Commands, add_boot_options, add_build_options,
                                   add_test_argument)
from tdxtest.guest.stages import Built
from tdxtest.kvm import gcda, modules

# kvm-intel.ko's TDX: the code itself, and where the calls of KVM branch to it.
SOURCES = ('arch/x86/kvm/vmx/tdx.c', 'arch/x86/kvm/vmx/main.c')
# As CFLAGS_GCOV of the kernel's Makefile, with atomic counters, since vCPUs run on several
# CPUs. Without early inlining a line counts its own branches. With it, it would count those
# of the functions that it calls, such as a tracepoint's.
FLAGS = ('-fprofile-arcs', '-ftest-coverage', '-fno-tree-loop-im', '-fno-early-inlining',
         '-fprofile-update=prefer-atomic', '-Wno-maybe-uninitialized')
# The functions of a TD's hypercalls, and what no test reaches there.
FUNCTIONS = 'hypercall-functions.list'
UNREACHED = 'unreached.list'
# Of a gap: the line was not run, or one of its branches was not taken.
KINDS = ('line', 'branch')
# What is counted, what of it was reached, what of the rest is explained, and the
# percent of all to reach. Explanations must not take the place of tests.
GOALS = (('lines', 'lines_run', 'lines_explained', 98),
         ('branches', 'branches_taken', 'branches_explained', 95))
# Of coverage.json, which holds the totals.
FORMAT = 'tdxtest-coverage-1'
GCOV_FILES = '/sys/kernel/debug/gcov'
# {lines, lines_run, lines_explained, branches, ...: how many}
Totals = collections.Counter[str]
# (line number, [kind, function, text, why]) of what the list UNREACHED holds.
Explanations = list[tuple[int, list[str]]]


@dataclasses.dataclass(frozen=True)
class Gap:
    """A line that was not run, or one with branches that were not taken.

    kind: "line" or "branch"; text: the line without indentation; branches: of
    that line that were not taken.
    """

    kind: str
    function: str
    number: int
    text: str
    branches: int = 0

    def __str__(self) -> str:
        what = 'not run' if self.kind == 'line' else f'{self.branches} branch(es) not taken'
        return f'tdx.c:{self.number}: {self.function}(): {what}: {self.text}'


def listed(text: str) -> list[str]:
    """The lines of a list that are no comments."""
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != '#']


def explanations(text: str, where: str) -> Explanations:
    """What the list UNREACHED holds."""
    found = []
    for stanza in stanzas.parse(text, where):
        for number, item in stanza.items:
            kind, _, code = item.partition(': ')
            if kind not in KINDS or not code:
                raise Failure(f'{where}:{number}: wanted {" or ".join(KINDS)}, ": " and a '
                              f'line of C, got {item!r}')
            found.append((number, [kind, stanza.name, code.strip(), stanza.text]))
    return found


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('coverage', help='which lines and branches of KVM does the '
                                 'suite run?', epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--no-html', action='store_true',
                        help='only the numbers and the tracefile; needs no lcov')
    add_test_argument(parser)
    return parser


def gaps(counters: gcda.Counters, source: str, functions: Iterable[str],
         text: Sequence[str]) -> tuple[Totals, list[Gap]]:
    """(totals, [Gap]) of the functions; totals: {lines, lines_run, branches, branches_taken}.

    text: the lines of the source. Branches of a line that was not run are no gaps
    of their own.
    """
    totals = collections.Counter(lines=0, lines_run=0, branches=0, branches_taken=0)
    found = []
    for function in functions:
        lines = counters.lines_of(source, function)
        if not lines:
            raise Failure(f'tables/{FUNCTIONS}: {source} has no code of {function}()')
        for number, line in lines.items():
            said = text[number - 1].strip()
            left = sum(not taken for taken in line.branches)
            totals['lines'] += 1
            totals['lines_run'] += bool(line.count)
            totals['branches'] += len(line.branches)
            totals['branches_taken'] += len(line.branches) - left
            if not line.count:
                found.append(Gap('line', function, number, said, left))
            elif left:
                found.append(Gap('branch', function, number, said, left))
    return totals, found


def explain(found: Iterable[Gap], table: Explanations) -> tuple[list[Gap], list[str]]:
    """([Gap] that the table does not explain, [what is wrong with rows of it]).

    table: as explanations() gives it, a row for each line, and one for each branch
    of a line that was run.
    """
    used = set()
    unexplained = []
    for gap in found:
        rows_of = [number for number, (kind, function, text, _) in table
                   if (kind, function, text) == (gap.kind, gap.function, gap.text)]
        if not rows_of or gap.kind == 'branch' and gap.branches > len(rows_of):
            unexplained.append(gap)
        used.update(rows_of)
    stale = [f'tables/{UNREACHED}:{number}: {words[1]}(): {words[2]}: '
             'is reached, or gone; drop the line'
             for number, words in table if number not in used]
    return unexplained, stale


def percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


def count_explained(totals: Totals, found: Iterable[Gap], unexplained: Collection[Gap]) -> None:
    """Add to the totals what no test can reach."""
    explained = [gap for gap in found if gap not in unexplained]
    totals['lines_explained'] = sum(gap.kind == 'line' for gap in explained)
    totals['branches_explained'] = sum(gap.branches for gap in explained)


def share(what: str, part: float, whole: float) -> str:
    return f'{what} {part} of {whole} ({percent(part, whole):.1f} %)'


def summary(totals: Totals) -> list[str]:
    """[lines] of all there is, and of what can be reached."""
    everything = [share(what, totals[done], totals[what]) for what, done, _, _ in GOALS]
    reachable = [share(what, totals[done], totals[what] - totals[explained])
                 for what, done, explained, _ in GOALS]
    return ['hypercall paths: ' + ', '.join(everything),
            'of what can be reached: ' + ', '.join(reachable)]


def html(built: Built, folder: str, tracefile: str) -> str:
    """The report of genhtml; gives its first page."""
    apt.ensure_installed(built.progress, built.build.log('apt'), 'coverage')
    target = os.path.join(folder, 'html')
    command.run(['genhtml', '--quiet', '--branch-coverage', '--legend',
                 '--title', f'tdxtest, Linux {built.work.source.version}',
                 '--prefix', built.work.tree, '--output-directory', target, tracefile],
                built.build.log('coverage'))
    return os.path.join(target, 'index.html')


def measure(built: Built, folder: str) -> tuple[runs.Run, gcda.Counters]:
    """Run the chosen tests with an instrumented module; gives (Run, Counters)."""
    variant = modules.Variant(built.kernel, built.work.out('gcov'))
    with built.progress.step('gcov', f'building {modules.MODULE}.ko with counters'):
        if not variant.is_built(FLAGS):
            variant.build(SOURCES, FLAGS)
    kernel = built.kernel.with_modules({os.path.basename(variant.path): variant.path})
    done = runs.run_suite(dataclasses.replace(built, kernel=kernel).with_boot(collect=GCOV_FILES))
    consoles = []
    for guest in done.guests:
        with open(guest.console_path, encoding='utf-8', errors='replace') as f:
            consoles.append(f.readlines())
    notes = {}
    for source in SOURCES:
        stem = os.path.splitext(source)[0]
        notes[f'{os.path.basename(stem)}.gcda'] = os.path.join(variant.folder, f'{stem}.gcno')
    with built.progress.step('gcov', 'reading the counters'):
        return done, gcda.read(consoles, notes, folder, built.build.log('coverage'))


def tables() -> tuple[list[str], Explanations]:
    """The functions that are measured, and the rows that explain gaps in them."""
    texts = []
    for name in (FUNCTIONS, UNREACHED):
        with open(os.path.join(TABLES, name), encoding='utf-8') as f:
            texts.append(f.read())
    return listed(texts[0]), explanations(texts[1], f'tables/{UNREACHED}')


def gaps_of(built: Built, counters: gcda.Counters,
            functions: Iterable[str]) -> tuple[Totals, list[Gap]]:
    """gaps() in the source that was built."""
    with open(os.path.join(built.work.tree, SOURCES[0]), encoding='utf-8') as f:
        return gaps(counters, SOURCES[0], functions, f.read().splitlines())


def run(args: argparse.Namespace) -> int:
    functions, table = tables()
    wanted = request.from_arguments(args)
    machines.check_takes_modules(wanted.boot.machine)
    built = stages.prepare(wanted)
    folder = built.build.folder('coverage')
    done, counters = measure(built, folder)
    status = runs.conclude_runs([done])

    tracefile = os.path.join(folder, 'coverage.info')
    write_if_changed(tracefile, counters.tracefile().encode())
    totals, found = gaps_of(built, counters, functions)
    unexplained, stale = explain(found, table)
    count_explained(totals, found, unexplained)
    if wanted.boot.tests:
        stale = []      # the rows are about the whole suite
    line = built.progress.line
    for gap in found:
        line(f'  {"unexplained" if gap in unexplained else "explained"}: {gap}')
    for problem in stale:
        line(f'  {problem}')
    page = tracefile if args.no_html else html(built, folder, tracefile)
    write_if_changed(os.path.join(folder, 'coverage.json'), (json.dumps(
        {'format': FORMAT, 'kernel': built.work.source.version, **totals,
         'unexplained': len(unexplained)}, indent=1) + '\n').encode())
    line(f'report: {page}')
    for text in summary(totals):
        line(text)
    line(f'{len(found)} gap(s), {len(unexplained)} unexplained')
    if wanted.boot.tests:
        return status
    return status or (EXIT_FAIL if unexplained or stale else EXIT_PASS)
