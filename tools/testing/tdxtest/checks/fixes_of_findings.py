# SPDX-License-Identifier: GPL-2.0-only
"""The fix of a finding turns the cases of the finding, and all fixes change nothing else."""

from collections.abc import Iterator, Mapping

from tdxtest.base.checking import When
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


def check(built: Built) -> Iterator[str]:
    marked = marks_in_tree()
    fixed = {finding.number: finding for finding in findings.load() if finding.has_fix()}
    base = outcomes(run_suite(built))
    run = run_suite(built, '--patch', 'fixes/all')
    # The fixes change the generation of the ABI: only cases that both runs have count.
    alike = {case: outcome for case, outcome in outcomes(run).items() if case in base}
    yield from run['problems']
    yield from wrong(base, alike, {case: n for case, n in marked.items() if n in fixed},
                     'fixes/all')
    tests = sorted({case.partition(':')[0] for case in marked})
    for number, finding in fixed.items():
        if number not in marked.values():
            continue
        name = f'fixes/{number:04}'
        run = run_suite(built, '--patch', name, *tests)
        yield from run['problems']
        yield from wrong(base, outcomes(run),
                         {case: n for case, n in marked.items() if n == number}, name)
