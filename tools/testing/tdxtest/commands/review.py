# SPDX-License-Identifier: GPL-2.0-only
"""The command that tells what a patch series changes for the suite."""

import argparse
import dataclasses
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS, Failure, UsageError
from tdxtest.base.progress import Progress
from tdxtest.guest import groups, machines, request, runs, shards, stages
from tdxtest.guest.options import Commands, add_boot_options, add_build_options, add_expect_options
from tdxtest.guest.stages import Built
from tdxtest.kvm import rebuild
from tdxtest.tree import changes as changes_of, kvm_api, mbox
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.suite import Tests
from tdxtest.verdict import hang, judging, ktap, results, review_reply, review_report
from tdxtest.verdict.comparison import Change, Comparison, STATE_OF

EPILOG = """\
exit status: 0 the series makes nothing worse; 1 a case went red, vanished, or passed
and is skipped now, or a kernel with the series refused the modules, warned, hung or
died; 2 what was asked for cannot be done; 125 something did not fetch, apply, build
or boot, or no case passes with or without the series.
"""
BASE, PATCHED = 'base', 'patched'
# Parts of a warning that differ in each run: times, CPUs, processes, addresses.
OF_A_RUN = re.compile(r'\[ *[\d.]+\] |\b(?:CPU|PID): \d+|\bCPU#\d+|[+/]?\b0x[0-9a-f]+'
                      r'|\b[0-9a-f]{8,}\b|/\d+')
PLACE = re.compile(r'(\S+\.[chS]):(\d+)')
# {(test, case): (state, note, finding)}
CaseResults = dict[tuple[str, str], tuple[str, str, int]]


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('review', epilog=EPILOG,
                                 help='what does a patch series change for the suite?')
    add_build_options(parser)
    add_boot_options(parser)
    add_expect_options(parser)
    parser.add_argument('--tests', nargs='+', default=[], metavar='TEST[:CASE]',
                        help='run these only (default: all tests)')
    parser.add_argument('--markdown', metavar='FILE',
                        help='write the report for a reply, - for standard output')
    parser.add_argument('--html', metavar='FILE',
                        help='write the report as a page, - for standard output')
    parser.add_argument('--reply', metavar='FILE',
                        help='write a mail that answers the series, - for standard output')
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE',
                        help='write the report as JSON, - for standard output')
    parser.add_argument('--both', metavar='FILE',
                        help='write what both kernels did, for report --side-by-side')
    parser.add_argument('--alone', action='store_true',
                        help='review the patches that are there without the rest of their series')
    parser.add_argument('--ignore-whitespace', action='store_true',
                        help='apply patches whose white space was damaged by mail')
    parser.add_argument('patches', nargs='+', metavar='MBOX|PATCH',
                        help='an mbox as lore.kernel.org and b4 give it, or patches in order; '
                             '- for standard input')
    return parser


def state(case: ktap.Case) -> str:
    return STATE_OF.get(case.outcome(), case.outcome())


def case_results(outcomes: Iterable[groups.Outcome]) -> CaseResults:
    """{(test, case): (state, note, finding)} of one kernel, all guests together."""
    found = {}
    for outcome in outcomes:
        console = outcome.console
        ran = [(test.result.name, test.cases) for test in console.tests]
        # Of the test in which the guest died.
        ran.append((hang.running(console, outcome.tests()), console.open.cases))
        for name, cases in ran:
            for case in cases:
                found[name, case.name] = (state(case), case.note, case.finding())
    return found


def not_run(before: CaseResults, after: CaseResults,
            patched: Iterable[groups.Outcome]) -> set[tuple[str, str]]:
    """The cases that a guest with the series died before, or in."""
    dead = [outcome for outcome in patched if outcome.died]
    return {key for key in set(before) - set(after)
            if any(outcome.names(*key) for outcome in dead)}


def compare(before: CaseResults, after: CaseResults,
            left_out: Collection[tuple[str, str]] = ()) -> tuple[list[Change], int]:
    """([Change], number of cases with the same result). left_out: cases to say nothing of."""
    changes = []
    same = 0
    for key in sorted((set(before) | set(after)) - set(left_out)):
        old, new = before.get(key, ('', '', 0)), after.get(key, ('', '', 0))
        if old[0] == new[0]:
            same += 1
            continue
        told = new if new[0] in ('not ok', 'skipped', ktap.XFAIL) else old
        changes.append(Change(*key, old[0], new[0], told[1], old[2] or new[2]))
    return changes, same


def unfit(outcome: groups.Outcome) -> str:
    """Why a guest did not run all of its tests, '' if it did."""
    if outcome.died:
        return f'the guest did not get through: {outcome.died}, {outcome.console.running()}'
    return '' if outcome.loaded() else 'the kernel refused the modules'


def check_base(base: Sequence[groups.Outcome], patched: Sequence[groups.Outcome]) -> None:
    """Failure if the base's results cannot show an effect of the series.

    A base whose guest died is enough if the guest survives with the series.
    """
    mended = not any(map(unfit, patched))
    why = next((unfit(o) for o in base if unfit(o) and not (o.died and mended)), '')
    passed = any(result == 'ok' for outcomes in (base, patched)
                 for result, *_ in case_results(outcomes).values())
    if not why and not passed:
        reasons = [*problems(base), *(test.skip_reason for outcome in base
                                      for test in outcome.console.tests if test.skip_reason)]
        why = '; '.join(['no case passed', *reasons[:1]])
    if why:
        raise Failure(f'the base says nothing: {why}')


def problems(outcomes: Iterable[groups.Outcome], deaths: bool = True) -> Iterator[str]:
    """What was wrong apart from failed cases: no load, a death, warnings, or a hang.

    deaths: whether to tell of guests that died.
    """
    for outcome in outcomes:
        if unfit(outcome) and (deaths or not outcome.died):
            yield unfit(outcome)
        yield from (f'the kernel warned: {line}' for line in outcome.warnings())
        for test in outcome.console.tests:
            why = outcome.unended(test.result.name)
            if why:
                yield f'{test.result.name}: {why}'
            elif outcome.warnings() and test.result.note.startswith('the kernel warned'):
                continue
            elif not test.result.ok and not test.failed() and test.result.name != 'load_kvm':
                yield f'{test.result.name}: not ok' + (f': {test.result.note}'
                                                       if test.result.note else '')


# {path: {line after the series: line before it}}
Moved = Mapping[str, Mapping[int, int]]


def comparable(line: str, moved: Moved) -> str:
    """A problem without what differs in each run, and with the base's line numbers.

    moved: of the files that a series changes. Its new lines stay apart from those of the base.
    """
    def of_base(match: re.Match[str]) -> str:
        path = next((path for path in moved if match[1] == path or match[1].endswith(f'/{path}')),
                    '')
        if not path:
            return match[0]
        return f'{path}:{moved[path].get(int(match[2]), "new " + match[2])}'

    return OF_A_RUN.sub('', PLACE.sub(of_base, line))


def added(old: Iterable[str], new: Iterable[str], of_old: Moved, of_new: Moved) -> list[str]:
    """The lines of `new` that `old` does not have, as they are, each once.

    of_old, of_new: where the lines of the files of each are in the base.
    """
    seen = {comparable(line, of_old) for line in old}
    found = []
    for line in new:
        form = comparable(line, of_new)
        if form not in seen:
            found.append(line)
        seen.add(form)
    return found


class Review:
    """A series on one kernel."""

    def __init__(self, built: Built, series: mbox.Series) -> None:
        self.base = built
        self.series = series
        # Of the series, by build().
        self.patched = rebuild.Patched(built.kernel, built.work.out('review'))
        self.kernel = built.kernel
        self.modules: dict[str, str] = {}
        self.built = ''         # how much was built
        # Of both kernels, by run().
        self.outcomes: dict[str, Sequence[groups.Outcome]] = {}

    def build(self, loose: bool = False) -> None:
        """Build the patched modules, or the patched kernel. loose: as for Patched.apply()."""
        base, series = self.base, self.series
        with base.progress.step('apply', f'{len(series.patches)} patch(es)'):
            self.patched.apply(series.patches, series.base, loose)
        patched = self.patched
        if not patched.needed():
            raise UsageError('the series changes no file that a kernel is made of' +
                             (' here' if patched.built_files() else ''))
        if patched.objects_only():
            self.built = 'single objects'
            with base.progress.step('patched', f'building {self.built} with the series'):
                self.modules = patched.build_objects()
            return
        self.built = "KVM's modules"
        with base.progress.step('patched', f'building {self.built} with the series'):
            built = patched.build_modules()
        if built is None:
            self.built = 'a whole kernel'
            self.kernel = rebuild.whole_kernel(base.kernel, base.work, patched.files)
            built = {os.path.basename(p): p for p, _ in self.kernel.modules()
                     if os.path.basename(p) in rebuild.KVM_MODULES}
        self.modules = built

    def _group(self, name: str, tests: Tests, replaced: Mapping[str, str]) -> groups.Group:
        kernel = self.base.kernel if name == BASE else self.kernel
        chosen = tuple((replaced.get(os.path.basename(p), p), parameters)
                       for p, parameters in kernel.modules()
                       if os.path.basename(p) in self.modules)
        return groups.Group(name, chosen, tuple(tests))

    def _boot(self, kernel: Kernel, shares: Sequence[Sequence[groups.Group]],
              name: str) -> list[groups.Outcome]:
        outer = [(p, parameters) for p, parameters in kernel.modules()
                 if os.path.basename(p) not in self.modules]
        built = dataclasses.replace(self.base, kernel=kernel)
        return groups.Runner(built, name, outer, runs.TEST_TIMEOUT_S).run(shares)

    def run(self, tests: Tests) -> Comparison:
        """Run the tests, [(name, [arguments])], on both; gives the Comparison."""
        base = self.base
        shares = shards.split(tests, base.suite.cases, base.request.boot.jobs)
        plain = [self._group(BASE, share, {}) for share in shares]
        patched = [self._group(PATCHED, share, self.modules) for share in shares]
        if self.kernel is base.kernel:
            pairs = [list(pair) for pair in zip(plain, patched)]
            outcomes = self._boot(base.kernel, pairs, 'review')
        else:
            outcomes = (self._boot(base.kernel, [[g] for g in plain], 'review') +
                        self._boot(self.kernel, [[g] for g in patched], 'review-patched'))
        before, after = ([o for o in outcomes if o.group.name == name] for name in (BASE, PATCHED))
        self.outcomes = {'base': before, 'with the series': after}
        check_base(before, after)
        return self._compared(before, after)

    def results(self) -> list[results.Results]:
        """What both kernels did, in the form of runs."""
        found = []
        for label, outcomes in self.outcomes.items():
            told = list(problems(outcomes))
            verdict = judging.Verdict(EXIT_FAIL if told else EXIT_PASS, label, tuple(told))
            found.append(results.collect([(one.console, one.died, {}) for one in outcomes], verdict,
                                         {**runs.about(self.base), 'label': label}))
        return found

    def _compared(self, before: Sequence[groups.Outcome],
                  after: Sequence[groups.Outcome]) -> Comparison:
        was, now = case_results(before), case_results(after)
        lost = not_run(was, now, after)
        changes, same = compare(was, now, lost)
        moved = {path: changes_of.lines_before(old, new)
                 for path, (old, new) in self.patched.versions().items()}
        unmoved = {path: {line: line for line in lines.values()}
                   for path, lines in moved.items()}
        old, new = list(problems(before)), list(problems(after, deaths=False))
        return Comparison(self.series, self.base.work.source.version, self.built, changes,
                          added(old, new, unmoved, moved), same, old,
                          sorted(set(self.patched.files) - set(self.patched.built_files())),
                          [*self.patched.notes, *self._api_notes()],
                          added(new, old, moved, unmoved), self._hangs(after), len(lost))

    def _api_notes(self) -> list[str]:
        """What the series adds to KVM's API without a row in the suite."""
        changed = {path: data.decode(errors='replace') for path, data in
                   self.patched.files.items() if data is not None}
        old = kvm_api.notes(self.base.work.tree)
        return [note for note in kvm_api.notes(self.base.work.tree, changed) if note not in old]

    def _hangs(self, after: Iterable[groups.Outcome]) -> list[hang.Hang]:
        functions = set().union(*(changes_of.changed_functions(old, new)
                                  for old, new in self.patched.versions().values()))
        return [hang.of(outcome.console, outcome.tests(), outcome.died, functions,
                        self.patched.inlined)
                for outcome in after if outcome.died]


def git_identity() -> str:
    """ "NAME <MAIL>" of the person, as git knows it; '' if it does not."""
    name, mail = (command.output(['git', 'config', f'user.{key}'], check=False).strip()
                  for key in ('name', 'email'))
    return f'{name} <{mail}>' if name and mail else ''


def run(args: argparse.Namespace) -> int:
    series = mbox.read(args.patches, args.alone)
    # If the report goes to standard output, nothing else may be printed there.
    forms = [(args.markdown, review_report.markdown), (args.html, review_report.html),
             (args.json, review_reply.as_json),
             (args.reply, lambda found: review_reply.mail(found, git_identity()))]
    out = sys.stderr if '-' in (args.both, *(path for path, _ in forms)) else sys.stdout
    wanted = request.from_arguments(args)
    machines.check_takes_modules(wanted.boot.machine)
    built = stages.prepare(wanted, Progress(out))
    review = Review(built, series)
    review.build(args.ignore_whitespace)
    found = review.run(built.suite.select(wanted.boot.tests))
    if args.both:
        results.write(args.both, results.to_json(review.results()))
    text = review_report.text(found)
    for line in text:
        built.progress.line(line)
    for path, form in forms:
        if path:
            results.write(path, form(found))
    return found.status()
