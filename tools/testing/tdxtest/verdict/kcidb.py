# SPDX-License-Identifier: GPL-2.0-only
"""Results in the format of KernelCI's database, KCIDB.

A case that fails as a finding says is a FAIL with an incident of a known issue, which is how
that format tells it from a new one.
"""

import hashlib
import json
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tdxtest.base.failure import EXIT_NOT_RUN, EXIT_PASS, UsageError
from tdxtest.verdict import findings, ktap
from tdxtest.verdict.rows import Results, outcome, reported

# Of the format that is written. Readers take it with every later minor number.
VERSION = {'major': 5, 'minor': 3}
# Where the cases are in KernelCI's tree of tests.
ROOT = 'kselftest.kvm'
ORIGIN = re.compile(r'[a-z0-9_]+')
NOT_PATH = re.compile(r'[^\w-]+', re.ASCII)
# What tells the runs of one build apart.
RUN_WORDS = ('date', 'number', 'shard', 'cpus')
STATUSES = {'pass': 'PASS', 'fail': 'FAIL', 'skip': 'SKIP', ktap.XFAIL: 'FAIL', ktap.XPASS: 'PASS'}
# What a field for text may have: its bytes are kept in a database.
MOST = 16384

Object = dict[str, typing.Any]


def check_origin(origin: str) -> str:
    """The name of a CI system, UsageError for one that the format does not allow."""
    if not ORIGIN.fullmatch(origin):
        raise UsageError(f'--kcidb-origin {origin}: wanted lower-case letters, digits and _')
    return origin


def text(value: object) -> str:
    return str(value).replace('\0', '')[:MOST]


def digest(*words: object) -> str:
    return hashlib.sha256('\n'.join(map(str, words)).encode()).hexdigest()[:24]


def path_of(*parts: str) -> str:
    """A dotted path; a part may have dots of its own, which begin new parts."""
    words = [NOT_PATH.sub('_', word) for part in parts for word in part.split('.')]
    return '.'.join(word or '_' for word in words)


def without_nothing(**fields: typing.Any) -> Object:
    """The fields that have a value: the format has no null."""
    return {name: value for name, value in fields.items() if value not in (None, '', [], {})}


def checkout_of(run: Results, origin: str) -> Object:
    """The source that was built."""
    patches = list(run.get('patches', []))
    kernel = str(run.get('kernel', ''))
    commit = str(run.get('commit', ''))
    return without_nothing(
        id=f'{origin}:{digest(kernel, run.get("origin"), commit, *patches)}', origin=origin,
        git_commit_hash=commit if re.fullmatch('[0-9a-f]{40}', commit) else None,
        git_commit_name=text(f'v{kernel}') if kernel else None,
        comment=text(f'Linux {kernel}, {run["origin"]}') if run.get('origin') else None,
        start_time=run.get('date'), valid=True,
        misc=without_nothing(patches=patches, source=run.get('origin')))


def build_of(run: Results, checkout: str, origin: str) -> Object:
    """The kernel with the suite."""
    about = {word: run[word] for word in ('abi', 'expected', 'debug') if run.get(word)}
    return without_nothing(
        id=f'{origin}:{digest(checkout, *sorted(about.items()))}', checkout_id=checkout,
        origin=origin, architecture='x86_64', config_name='tdxtest', start_time=run.get('date'),
        status='PASS', comment='with the simulated TDX module and the TDX selftests', misc=about)


def rows_of(run: Results) -> Iterator[tuple[str, Mapping[str, typing.Any]]]:
    """(path, row) of each result of a run, each path once."""
    seen: dict[str, int] = {}
    for test in run['tests']:
        for row in reported(test):
            own = row['name'] == test['name']
            path = path_of(ROOT, test['name'], *([] if own else [row['name']]))
            seen[path] = seen.get(path, 0) + 1
            yield path if seen[path] == 1 else f'{path}.{seen[path]}', row


def test_of(row: Mapping[str, typing.Any], path: str, build: str, run: Results,
            origin: str) -> Object:
    """A case."""
    result = outcome(dict(row))
    note = text(row.get('note') or '')
    return without_nothing(
        id=f'{origin}:' + digest(build, path, *(run.get(word) for word in RUN_WORDS)),
        build_id=build, origin=origin, path=path, status=STATUSES[result],
        comment=note, log_excerpt=note if result in ('fail', ktap.XFAIL) else None,
        duration=row.get('seconds'), start_time=run.get('date'),
        environment=without_nothing(comment=text(run.get('machine', '')),
                                    misc=without_nothing(cpus=run.get('cpus'))),
        misc=without_nothing(outcome=result, shard=run.get('shard')))


def run_as_test(run: Results, build: str, origin: str) -> Object:
    """What went wrong apart from cases, so that nothing looks green that is not."""
    status = 'MISS' if run['status'] == EXIT_NOT_RUN else 'FAIL'
    note = '; '.join([run['summary'], *run['problems']])
    row = {'name': 'run', 'ok': False, 'skip': False, 'note': note, 'seconds': None}
    return {**test_of(row, path_of(ROOT, 'tdxtest'), build, run, origin), 'status': status}


def known(row: Mapping[str, typing.Any], test: str, origin: str,
          titles: Mapping[int, str]) -> tuple[Object, Object] | None:
    """(issue, incident) of a case that belongs to a finding."""
    match = ktap.FINDING.search(row.get('note') or '') if row.get('mark') else None
    if not match:
        return None
    number = int(match[1])
    issue = without_nothing(id=f'{origin}:finding-{number}', version=1, origin=origin,
                            report_subject=text(titles.get(number, f'finding {number}')),
                            culprit={'code': True, 'tool': False, 'harness': False})
    return issue, {'id': f'{origin}:{digest(test, number)}', 'origin': origin,
                   'issue_id': issue['id'], 'issue_version': 1, 'test_id': test,
                   'present': row['mark'] == ktap.XFAIL}


def to_kcidb(runs: Sequence[Results], origin: str = 'tdxtest',
             titles: Mapping[int, str] | None = None) -> str:
    """JSON of runs; titles: {number of a finding: its title}, of the project's by default."""
    titles = titles_of(findings.load()) if titles is None else titles
    checkouts: dict[str, Object] = {}
    builds: dict[str, Object] = {}
    issues: dict[str, Object] = {}
    tests: list[Object] = []
    incidents: list[Object] = []
    for number, run in enumerate(runs):
        # Two runs may begin in the same second.
        run = {**run, 'number': number}
        checkout = checkout_of(run, origin)
        build = build_of(run, checkout['id'], origin)
        checkouts[checkout['id']], builds[build['id']] = checkout, build
        failed = False
        for path, row in rows_of(run):
            test = test_of(row, path, build['id'], run, origin)
            failed = failed or outcome(dict(row)) == 'fail'
            tests.append(test)
            told = known(row, test['id'], origin, titles)
            if told:
                issues[told[0]['id']] = told[0]
                incidents.append(told[1])
        if run['status'] != EXIT_PASS and not failed:
            tests.append(run_as_test(run, build['id'], origin))
    data = {'version': VERSION, 'checkouts': list(checkouts.values()),
            'builds': list(builds.values()), 'tests': tests,
            'issues': list(issues.values()), 'incidents': incidents}
    return json.dumps(data, indent=1, ensure_ascii=False) + '\n'


def titles_of(found: Iterable[findings.Finding]) -> dict[int, str]:
    """{number: title} of findings."""
    return {finding.number: finding.title for finding in found}
