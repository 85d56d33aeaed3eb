# SPDX-License-Identifier: GPL-2.0-only
"""Why cases of the suite skip themselves in a plain run, and what runs them.

A case that no command runs tests nothing, however green it is said to be.
"""

import dataclasses
import sys

from tdxtest.base import command
from tdxtest.base.paths import TOOL
from tdxtest.checks import two_cpus
from tdxtest.verdict import results

PREFIX = 'SKIP '


@dataclasses.dataclass(frozen=True)
class Request:
    """Options of tdxtest.py run with which a case does not skip itself.

    warns: the kernel does then, so that the run fails whatever its cases do.
    older: only kernels before the newest have cases with the reason.
    """

    options: tuple
    warns: bool = False
    older: bool = False


# As the suite gives the reason: a Request, or None for those that two_cpus.py runs.
REQUESTS = {
    two_cpus.TOO_FEW.removeprefix(PREFIX): None,
    'not in this generation of the MapGPA ABI': Request(('--abi', 'fixed')),
    # It says nothing for minutes.
    'TDX_MAP_GPA_1TIB is not 1': Request(('--env', 'TDX_MAP_GPA_1TIB=1', '--silence', '1800')),
    'KVM would leak page tables and TDX_SHARED_LEAK is not 1': Request((
        '--env', 'TDX_SHARED_LEAK=1', '--patch',
        'fixes/0002-KVM-x86-mmu-Zap-the-shared-half-of-a-TD-s-roots-on-any-host.patch')),
    'this KVM does not have the exit for TDs': Request(('--kernel', '7.3'), older=True),
    'KVM would warn and TDX_KVM_WARN is not 1':
        Request(('--env', 'TDX_KVM_WARN=1'), warns=True),
}


def skipped(run):
    """{reason: [TEST:CASE]} of a results.collect(), TEST alone for one that skipped as a whole."""
    found = {}
    for test in run['tests']:
        for row in results.reported(test):
            if results.outcome(row) == 'skip':
                found.setdefault(row['note'].removeprefix(PREFIX), []).append(
                    f'{test["name"]}:{row["name"]}' if test['cases'] else test['name'])
    return found


def check_reasons(session):
    """Each reason of the last run is one that another command does away with.

    A case whose assertion fails with an errno of EACCES skips itself without any.
    """
    if session.args.cpus > 1 or session.args.machine != 'bochs':
        return
    for reason, cases in skipped(session.results[-1]).items():
        if reason not in REQUESTS:
            yield f'{cases[0]}: skipped itself ("{reason}"), and no command runs it'


def run_suite(session, *words):
    """Run tdxtest.py run with these words; gives the results.collect() of it."""
    argv = [sys.executable, TOOL, 'run', '--build',
            session.build.root, *words]
    with session.build.unlocked():
        command.output(argv, check=False)
    return results.load(session.build.path(results.LAST))[-1]


def wrong(cases, run, warns):
    """A line for each of the cases that did not pass in the run, and for its problems."""
    got = {f'{test["name"]}:{case["name"]}': case
           for test in run['tests'] for case in test['cases']}
    for name in cases:
        row = got.get(name)
        if row is None:
            yield f'{name}: was not run'
        elif results.outcome(row) != 'pass':
            yield f'{name}: {results.outcome(row)}: {row["note"]}'
    if not warns:
        yield from run['problems']


def check_on_request(session):
    """What a plain run skips passes where it is asked for; a check of check_long.py."""
    found = skipped(run_suite(session))
    yield from unskipped(found)
    for reason, request in REQUESTS.items():
        if request and reason in found:
            run = run_suite(session, *request.options, *found[reason])
            yield from wrong(found[reason], run, request.warns)


def unskipped(found):
    """A line for each reason that no case has any more; found: of skipped()."""
    for reason, request in REQUESTS.items():
        if reason not in found and not (request and request.older):
            yield f'no case of the suite was skipped with "{reason}"'
