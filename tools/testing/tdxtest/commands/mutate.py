# SPDX-License-Identifier: GPL-2.0-only
"""The command that tries the seeded regressions of mutants/ against the suite."""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure, UsageError
from tdxtest.guest import groups, machines, request, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options
from tdxtest.guest.stages import Built, Laid
from tdxtest.kvm import modules
from tdxtest.tree import suite
from tdxtest.tree.suite import Tests
from tdxtest.verdict import ktap, mutants

# Seconds of guest time for the named cases of one test, which take a few: a mutant
# may hang. That is a minute of the emulator, which --silence must not cut short.
TEST_TIMEOUT_S = 30
# An emulator of several CPUs is so much slower.
SLOWER_WITH_CPUS = 4
# A case that needs an option of the kernel may repeat a command some hundred times.
SLOWER_WITH_OPTIONS = 10
# The unchanged module, to see that a named case is green without the mutant.
BASE = 'base'

KILLED = 'killed'
EXPLAINED = 'explained'
PARTLY = 'partly killed'
SURVIVED = 'survived'
REFUTED = 'noticed, though it says that nothing can'
DIED = 'ended the guest'
UNTRIED = 'not tried'
# It needs a kernel that was built with other options.
ELSEWHERE = 'left to another kernel'
GOOD = (KILLED, EXPLAINED, ELSEWHERE)


@dataclasses.dataclass
class Verdict:
    """What came of a mutant; problems: what is wrong, one line each."""

    mutant: mutants.Mutant
    kind: str
    red: int = 0            # named cases that failed, as they must
    problems: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('mutate', help='try seeded regressions: which does the suite '
                                 'notice?', epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--all', action='store_true',
                        help='run the whole suite for each, not only the cases that it names')
    parser.add_argument('mutants', nargs='*', metavar='MUTANT',
                        help='folders, patterns of names in mutants/, or files (default: all)')
    return parser


def red_cases(outcome: groups.Outcome, name: str, cases: Iterable[str]) -> dict[str, str]:
    """{case: why} of the cases that failed, or that did not run since the test hung before them."""
    results = outcome.case_results(name)
    unended = outcome.unended(name)
    red = {}
    for case in cases:
        result = results.get(case)
        if result is None and unended:
            red[case] = unended
        elif result is not None and not result.ok:
            red[case] = result.note
    return red


def unsound(base: groups.Outcome) -> str:
    """What is wrong with the base's run, apart from failed cases; '' if nothing."""
    if base.died or not base.loaded():
        return base.died or 'the kernel refused the module'
    if base.warned():
        return f'the kernel warned: {base.warned()}'
    # A mutant that is as slow as the base would count as one that hangs.
    late = [f'{name}: {base.unended(name)}' for name, _ in base.group.tests if base.unended(name)]
    return late[0] if late else ''


def passed(outcome: groups.Outcome) -> set[tuple[str, str]]:
    """{(test, case)} that passed in a group."""
    return {(test.result.name, case.name) for test in outcome.console.tests
            for case in test.cases if case.outcome() in ('pass', ktap.XPASS)}


def judge(mutant: mutants.Mutant, named: Mapping[str, Sequence[str]], outcome: groups.Outcome,
          broken: Set[tuple[str, str]] = frozenset()) -> Verdict:
    """The Verdict on a mutant.

    named: {test: [cases that must fail]}; broken: {(test, case)} that do not pass
    without any mutant, so that their failing shows nothing.
    """
    warning = outcome.warned()
    if outcome.died:
        # The results of cases do not matter: the guest died, which is worse than a red case.
        kind = KILLED if mutant.warns else DIED
        return Verdict(mutant, kind, problems=[] if mutant.warns else [outcome.died],
                       notes=[outcome.died])
    if not outcome.loaded():
        return Verdict(mutant, UNTRIED, problems=['the kernel refused the module'])
    spoilt = [f'{test}: {case} does not pass without the mutant'
              for test, cases in named.items() for case in cases if (test, case) in broken]
    if spoilt:
        return Verdict(mutant, UNTRIED, problems=spoilt)

    red = {(test, case): why for test, cases in named.items()
           for case, why in red_cases(outcome, test, cases).items()}
    green = [f'{test}: {case} did not fail'
             for test, cases in named.items() for case in cases if (test, case) not in red]
    if mutant.warns and not warning:
        green.append('the kernel did not warn')
    notes = [f'the kernel warned: {warning}'] if warning and not mutant.warns else []
    others = [case.name for test in outcome.console.tests for case in test.failed()
              if case.name not in named.get(test.result.name, ())]
    if others:
        notes.append(f'{len(others)} case(s) that it does not name failed too: {others[0]}'
                     + (', ...' if others[1:] else ''))
    if mutant.survives:
        noticed = [f'the kernel warned: {warning}'] if warning else []
        noticed += [f'{test.result.name}: {case.name} failed ({case.note})'
                    for test in outcome.console.tests for case in test.failed()]
        return Verdict(mutant, REFUTED if noticed else EXPLAINED, problems=noticed)
    if not green:
        return Verdict(mutant, KILLED, len(red), notes=notes)
    partly = red or (mutant.warns and warning)
    return Verdict(mutant, PARTLY if partly else SURVIVED, len(red), green, notes)


def spoils(mutant: mutants.Mutant) -> int:
    """Whether a guest is of use after a mutant ran in it; see groups.Group."""
    return 2 if mutant.leaks else int(mutant.warns)


def summary(verdicts: Sequence[Verdict], version: str) -> tuple[int, list[str]]:
    """(exit status, lines): what the verdicts come to."""
    lines = []
    for verdict in verdicts:
        if verdict.kind not in GOOD:
            lines.append(f'{verdict.kind}: {verdict.mutant.name} ({verdict.mutant.subject})')
            lines += [f'  {problem}' for problem in verdict.problems]
    counts = collections.Counter(v.kind for v in verdicts)
    tried = sum(n for kind, n in counts.items() if kind not in (UNTRIED, EXPLAINED, ELSEWHERE))
    rate = f'{100 * counts[KILLED] / tried:.1f} %' if tried else 'none tried'
    parts = ', '.join(f'{n} {kind}' for kind, n in counts.most_common())
    lines.append(f'{len(verdicts)} mutant(s): {parts}; kill rate {rate} (Linux {version})')
    if any(v.kind not in GOOD + (UNTRIED,) for v in verdicts):
        return EXIT_FAIL, lines
    untried = counts[UNTRIED] or counts[ELSEWHERE] == len(verdicts)
    return EXIT_NOT_RUN if untried else EXIT_PASS, lines


class Trial:
    """All mutants on one kernel."""

    def __init__(self, built: Built, chosen: Sequence[mutants.Mutant], everything: bool) -> None:
        self.built = built
        self.chosen = chosen
        self.everything = everything
        self.verdicts: dict[str, Verdict] = {}  # by the name of the mutant
        self.variants: dict[str, modules.Variant] = {}

    def build(self) -> None:
        """Build a module for each mutant; those that fail get their Verdict here."""
        progress = self.built.progress
        self._leave_out()
        left = [mutant for mutant in self.chosen if mutant.name not in self.verdicts]
        with progress.step('mutants', f'building {len(left)} module(s)',
                           lambda: f'{len(self.variants)} done'):
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                list(pool.map(self._build, left))

    def _leave_out(self) -> None:
        """Give those their Verdict that need another kernel."""
        for mutant in self.chosen:
            missing = mutants.missing_options(mutant, self.built.kernel.has)
            if missing:
                needs = ', '.join(f'CONFIG_{option}' for option in missing)
                self.verdicts[mutant.name] = Verdict(mutant, ELSEWHERE, notes=[f'needs {needs}'])

    def _build(self, mutant: mutants.Mutant) -> None:
        folder = self.built.work.out('mutants', mutant.name)
        with open(mutant.path, encoding='utf-8') as f:
            # A change above the diff does not change the module.
            diff = f.read().partition('\ndiff --git ')[2]
        variant = modules.Variant(self.built.kernel, folder, diff, mutant.module)
        stage = 'does not apply'
        try:
            if not variant.is_built():
                paths = variant.apply(mutant.path)
                stage = 'does not build'
                variant.build(paths)
            self.variants[mutant.name] = variant
        except Failure as e:
            self.verdicts[mutant.name] = Verdict(mutant, UNTRIED, problems=[f'{stage}: {e}'])

    def _tests(self, chosen: Iterable[mutants.Mutant]) -> Tests:
        """[(test, [arguments])] of the cases that any of the mutants runs."""
        chosen = list(chosen)
        if self.everything and not any(map(mutants.boots_td, chosen)):
            return tuple((name, []) for name in suite.names())
        wanted: dict[str, set[str]] = {}
        for mutant in chosen:
            for test, cases in mutant.run_cases(self.built.suite.cases_of).items():
                wanted.setdefault(test, set()).update(cases)
        return tuple((test, [word for case in sorted(cases) for word in ('-r', case)])
                     for test, cases in sorted(wanted.items()))

    def run(self) -> None:
        """Boot until every mutant that was built has its Verdict."""
        tried = [m for m in self.chosen if m.name in self.variants]
        # The timeout of a test that boots a TD must not be that of others.
        def kind(mutant: mutants.Mutant) -> tuple[int, str, bool, bool]:
            return mutant.cpus, mutant.module, mutants.boots_td(mutant), bool(mutant.options)

        for each in sorted(set(map(kind, tried))):
            cpus, module, _, options = each
            patience = SLOWER_WITH_CPUS if cpus > 1 else 1
            patience *= SLOWER_WITH_OPTIONS if options else 1
            self._run([m for m in tried if kind(m) == each], self.built.with_boot(
                cpus=max(cpus, self.built.request.boot.cpus),
                silence=self.built.request.boot.silence * patience), module,
                TEST_TIMEOUT_S * (SLOWER_WITH_OPTIONS if options else 1))

    def _run(self, chosen: Sequence[mutants.Mutant], built: Built, module: str,
             timeout_s: int = TEST_TIMEOUT_S) -> None:
        """Boot for the mutants of one module. Those that are loaded after it go with it."""
        loaded = built.kernel.modules()
        first = [os.path.basename(file) for file, _ in loaded].index(f'{module}.ko')
        outer, inner = loaded[:first], loaded[first:]
        deck = [groups.Group(m.name, ((self.variants[m.name].path, inner[0][1]), *inner[1:]),
                             self._tests((m,)), spoils(m)) for m in chosen]
        # All guests run one kernel, so one guest is enough to run the base.
        deck.append(groups.Group(BASE, tuple(inner), self._tests(chosen)))
        timeout_s *= SLOWER_WITH_CPUS if built.request.boot.cpus > 1 else 1
        runner = groups.Runner(built, 'mutate', outer, timeout_s)
        try:
            outcomes = {outcome.group.name: outcome
                        for outcome in runner.run(groups.deal(deck, built.request.boot.jobs))}
        except Failure as e:
            # A guest did not boot, or its emulator died.
            self.verdicts.update((m.name, Verdict(m, UNTRIED, problems=[str(e)])) for m in chosen)
            return
        green = passed(outcomes[BASE])
        # Without a sound base the results of the mutants show nothing.
        why = unsound(outcomes[BASE])
        for mutant in chosen:
            named = mutant.named_cases(self.built.suite.cases_of)
            broken = {(test, case) for test, cases in named.items() for case in cases} - green
            self.verdicts[mutant.name] = (
                Verdict(mutant, UNTRIED, problems=[f'without it, {why}']) if why else
                judge(mutant, named, outcomes[mutant.name], broken))
        self.built.progress.say(f'mutants: {len(chosen)} tried in {runner.boots} boot(s)')


def report(laid: Laid, verdicts: Sequence[Verdict]) -> int:
    """Print the verdicts and keep them; gives the exit status."""
    progress = laid.progress
    for verdict in verdicts:
        notes = ''.join(f'; {note}' for note in verdict.notes)
        progress.line(f'{verdict.kind}: {verdict.mutant.name}'
                      + (f' ({verdict.red} cases)' if verdict.red else '') + notes)
    progress.line('')
    status, lines = summary(verdicts, laid.work.source.version)
    data = [{'name': v.mutant.name, 'subject': v.mutant.subject, 'verdict': v.kind,
             'red': v.red, 'problems': v.problems, 'notes': v.notes,
             'survives': v.mutant.survives} for v in verdicts]
    write_if_changed(laid.build.path('mutants.json'),
                     (json.dumps(data, indent=1) + '\n').encode())
    for line in (progress.table(), *lines):
        progress.line(line)
    return status


def by_kernel(laid: Laid, chosen: Sequence[mutants.Mutant]
              ) -> Iterator[tuple[Built, list[mutants.Mutant]]]:
    """Each kernel that the mutants need, with those that need it."""
    traced = [m for m in chosen if m.traced and not laid.request.boot.trace]
    plain = [m for m in chosen if m not in traced]
    if plain:
        yield stages.compile_all(laid), plain
    if traced:
        yield stages.compile_all(laid.with_boot(trace=1)), traced


def try_all(laid: Laid, chosen: Sequence[mutants.Mutant], everything: bool = False
            ) -> dict[str, Verdict]:
    """{name: Verdict} of the mutants, each on the kernel that it needs.

    everything: with the whole suite for each, not only the cases that it names.
    """
    verdicts: dict[str, Verdict] = {}
    for built, some in by_kernel(laid, chosen):
        trial = Trial(built, some, everything)
        # A pattern that matches no case is reported before the long work starts.
        for mutant in some:
            mutant.run_cases(built.suite.cases_of)
        trial.build()
        trial.run()
        verdicts.update(trial.verdicts)
    return verdicts


def run(args: argparse.Namespace) -> int:
    chosen = mutants.chosen(args.mutants)
    if not chosen:
        raise UsageError('mutants/ holds no mutant')
    wanted = request.from_arguments(args)
    machines.check_takes_modules(wanted.boot.machine)
    laid = stages.fetch(wanted, stages.opened(wanted))
    verdicts = try_all(laid, chosen, args.all)
    return report(laid, [verdicts[mutant.name] for mutant in chosen])
