# SPDX-License-Identifier: GPL-2.0-only
"""The fix of a finding turns the cases of the finding, and all fixes change nothing else."""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping

from tdxtest.base.checking import When
from tdxtest.checks import skip_reasons, two_cpus
from tdxtest.checks.cases_on_request import run_suite
from tdxtest.checks.finding_cases import marks_in_tree
from tdxtest.guest.stages import Built
from tdxtest.verdict import findings, ktap, results
from tdxtest.verdict.results import Results

NAME = 'fixes of findings'
WHEN = When.LONG
# What a fix may make of a case that is expected to fail. A case that would harm the
# host is skipped without the fix.
TURNED = {ktap.XFAIL: ktap.XPASS, 'skip': ktap.XPASS, ktap.XPASS: ktap.XPASS}


def outcomes(run: Results) -> dict[str, str]:
    """{TEST:CASE: outcome} of a run."""
    return {f'{test["name"]}:{case["name"]}': results.outcome(case)
            for test in run['tests'] for case in test['cases']}


def wrong(before: Mapping[str, str], after: Mapping[str, str], turned: Mapping[str, int],
          what: str) -> Iterator[str]:
    """A line for each case that the fixes `what` should turn and did not, or the reverse.

    before, after: of outcomes(), without and with the fixes; turned: {TEST:CASE: number}
    of those that must pass.
    """
    for case, outcome in after.items():
        old = before.get(case, 'absent')
        wanted = TURNED.get(old, old) if case in turned else old
        if outcome != wanted:
            yield f'{what}: {case}: wanted {wanted}, got {outcome}'
    yield from (f'{what}: {case}: was not run' for case in turned if case not in after)


def run_both(run: Callable[..., Results], tests: Collection[str] = (),
             patch: str = '',
             with_two: Collection[str] | None = None) -> tuple[dict[str, str], list[str]]:
    """outcomes() and problems of a run; what needs two CPUs counts as it ends with two.

    run: runs the suite with the options that it is given; tests: of the suite, all if none;
    patch: of --patch; with_two: which of the cases TEST:CASE that need two CPUs are run, all
    of them if None.  The others are left out.
    """
    options = ('--patch', patch) if patch else ()
    one = run(*options, *tests)
    problems = list(one['problems'])
    skipped = {f'{test}:{case}' for test, names in two_cpus.skipped(one).items()
               for case in names}
    ended = {case: outcome for case, outcome in outcomes(one).items() if case not in skipped}
    cases = skipped if with_two is None else skipped.intersection(with_two)
    if cases:
        two = run(*options, '--cpus', str(two_cpus.CPUS), *sorted(cases))
        ended.update(outcomes(two))
        problems += two['problems']
    return ended, problems


def name_of(number: int) -> str:
    """The patches that --patch takes for the fix of a finding."""
    return f'fixes/{number:04}'


def check(built: Built) -> Iterator[str]:
    marked = marks_in_tree()
    fixed = {finding.number: finding for finding in findings.load() if finding.has_fix()}
    elsewhere: set[str] = set()

    def run(*words: str) -> Results:
        found = run_suite(built, *words)
        elsewhere.update(skip_reasons.left_to_debug(found))
        return found

    base, _ = run_both(run)
    # A debug kernel for each fix would take too long.
    marked = {case: n for case, n in marked.items() if case not in elsewhere}
    after, problems = run_both(run, patch='fixes/all')
    yield from problems
    # The fixes change the generation of the ABI: only cases that both runs have count.
    alike = {case: outcome for case, outcome in after.items() if case in base}
    yield from wrong(base, alike, {case: n for case, n in marked.items() if n in fixed},
                     'fixes/all')
    tests = sorted({case.partition(':')[0] for case in marked})
    turning = [number for number in sorted(fixed) if number in marked.values()]
    built.progress.say(f'fixes: {len(tests)} test(s) with each: {" ".join(tests)}')
    for number in built.progress.each('fixes', turning, name_of):
        name = name_of(number)
        turned = {case: n for case, n in marked.items() if n == number}
        needs = [word for other in fixed[number].needs for word in ('--patch', name_of(other))]
        after, problems = run_both(functools.partial(run, *needs), tests, name, turned)
        yield from problems
        yield from wrong(base, after, turned, name)
