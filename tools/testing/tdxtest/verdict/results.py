# SPDX-License-Identifier: GPL-2.0-only
"""What a run found, as a file: JSON, which this project reads again, and JUnit XML."""

import argparse
import dataclasses
import json
import os
import re
import sys
import typing
import xml.etree.ElementTree as xml
from collections.abc import Iterable, Mapping, Sequence

from tdxtest.base.failure import EXIT_NOT_RUN, EXIT_PASS, UsageError
from tdxtest.verdict import judging, kcidb, ktap, repeated, rows

FORMAT = 'tdxtest-results-1'
# What the last run leaves in the build folder.
LAST = 'results.json'
# What the name of a result in LAVA cannot have.
NOT_LAVA = re.compile(r'[^-\w.]')
# LAVA's word for an outcome that it has no word of its own for: a failure that is
# expected is no failure, no skip, and no pass.
LAVA_WORDS = {ktap.XFAIL: 'unknown', ktap.XPASS: 'pass'}
# XML 1.0 has no other control characters, not even escaped.
NOT_XML = re.compile('[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')

Results: typing.TypeAlias = rows.Results
outcome, reported = rows.outcome, rows.reported


def merged(guests: Iterable[judging.Judged], times: int = 1) -> list[Results]:
    """The tests of all guests, each name once, in the order of their first result.

    times: how often each test had to run.
    """
    tests: dict[str, list[ktap.Test]] = {}
    for guest in guests:
        for test in judging.tests_of(*guest):
            tests.setdefault(test.result.name, []).append(test)
    return [as_row(parts, times) for parts in tests.values()]


def as_row(parts: Sequence[ktap.Test], times: int) -> Results:
    """One test that one or several guests ran a part of, or ran several times, as a dict."""
    # The worst part names the whole; it is skipped when every part is.
    worst = min((t.result for t in parts), key=lambda r: (r.ok, not r.skip))
    known = [t.result.seconds for t in parts if t.result.seconds is not None]
    reasons = [t.skip_reason for t in parts if t.skip_reason]
    row = dataclasses.asdict(worst)
    if worst.skip and reasons:
        row['note'] = f'SKIP {reasons[0]}'
    row['seconds'] = rounded(sum(known)) if known else None
    cases = (repeated.case_rows(parts, times) if times > 1 else
             [dataclasses.asdict(case) for test in parts for case in test.cases])
    row['cases'] = [{**case, 'seconds': rounded(case['seconds'])} for case in cases]
    return row


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def collect(guests: Sequence[judging.Judged], verdict: judging.Verdict,
            about: Mapping[str, typing.Any]) -> Results:
    """The results as a dict that JSON can hold.

    guests: as judging.judge_all() takes them; about: {word: text} of the run, such
    as kernel, machine and abi, and repeat if each test had to run several times.
    """
    return {**about, 'status': verdict.status, 'summary': verdict.summary,
            'problems': list(verdict.problems), 'notes': list(verdict.notes),
            'tests': merged(guests, about.get('repeat', 1)),
            'logs': [[{'text': text, 'warning': warned} for text, warned in console.log]
                     for console, _, _ in guests]}


def write(path: str, text: str) -> None:
    """Write a whole file or none; '-' is standard output."""
    if path == '-':
        print(text, end='')
        return
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    with open(f'{path}.tmp', 'w', encoding='utf-8') as f:
        f.write(text)
    os.replace(f'{path}.tmp', path)


def to_json(runs: Sequence[Results]) -> str:
    """JSON of a list of collect()'s, one for each kernel that was booted."""
    return json.dumps({'format': FORMAT, 'runs': runs}, indent=1, ensure_ascii=False) + '\n'


def load_tagged(path: str, tag: str, origin: str) -> Results:
    """The dict in a JSON file whose "format" is `tag`; UsageError for any other file.

    origin: the command that makes such files, for the message.
    """
    try:
        # Standard input is opened by its number: it need not be valid text.
        with open(0 if path == '-' else path, encoding='utf-8', closefd=path != '-') as f:
            held = json.load(f)
    except FileNotFoundError as e:
        raise UsageError(f'{path} is not there; {origin} makes it') from e
    except ValueError as e:
        raise UsageError(f'{path} is no JSON: {e}') from e
    if not isinstance(held, dict) or held.get('format') != tag:
        raise UsageError(f'{path} is none that {origin} makes')
    return held


def load(path: str) -> list[Results]:
    """The list of collect()'s in a file; UsageError for a file that holds none."""
    runs: list[Results] = load_tagged(path, FORMAT, 'tdxtest.py run')['runs']
    if not runs:
        raise UsageError(f'{path} holds no run')
    return runs


def failed_in(path: str) -> set[str]:
    """Names of the tests that failed in the runs that a file has, none without one."""
    try:
        runs = load(path)
    except UsageError:
        return set()
    return {test['name'] for run in runs for test in run['tests']
            if any(outcome(row) == 'fail' for row in reported(test))}


def to_junit(runs: Sequence[Results]) -> str:
    """JUnit XML as Jenkins, GitLab and GitHub's actions read it.

    A test program is a testsuite, a case of it a testcase. A guest that did not
    boot is an error of a testsuite of its own: a page must not look empty and green.
    """
    root = xml.Element('testsuites', name='tdxtest')
    total = {'tests': 0, 'failures': 0, 'errors': 0, 'skipped': 0}
    for run in runs:
        failed = False
        prefix = f'{run["abi"]}.' if len(runs) > 1 else ''
        for test in run['tests']:
            count = junit_suite(root, prefix + test['name'], reported(test), test['seconds'])
            failed = failed or count['failures'] > 0
            total = added(total, count)
        if run['status'] != EXIT_PASS and not failed:
            note = '; '.join([run['summary'], *run['problems']])
            row = {'name': 'run', 'ok': False, 'skip': False, 'note': note, 'seconds': None}
            kind = 'error' if run['status'] == EXIT_NOT_RUN else 'failure'
            total = added(total, junit_suite(root, f'{prefix}tdxtest', [row], None, kind))
    for key, value in total.items():
        root.set(key, str(value))
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, 'unicode') + '\n'


def added(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {key: a[key] + b[key] for key in a}


def xml_text(text: str) -> str:
    return NOT_XML.sub('?', text)


def junit_suite(root: xml.Element, name: str, cases: Sequence[Results], seconds: float | None,
                kind: str = 'failure') -> dict[str, int]:
    """Append a testsuite; gives its counts."""
    name = xml_text(name)
    suite = xml.SubElement(root, 'testsuite', name=name)
    count = {'tests': len(cases), 'failures': 0, 'errors': 0, 'skipped': 0}
    for row in cases:
        case = xml.SubElement(suite, 'testcase', classname=name, name=xml_text(row['name']),
                              time=f'{row["seconds"] or 0:.3f}')
        note = xml_text(row['note'])
        if outcome(row) == 'fail':
            count['errors' if kind == 'error' else 'failures'] += 1
            xml.SubElement(case, kind, message=note or 'not ok').text = note
        elif outcome(row) == 'skip':
            count['skipped'] += 1
            xml.SubElement(case, 'skipped', message=note)
        elif outcome(row) == ktap.XFAIL:
            # JUnit has no such outcome. This is what pytest makes of its own.
            count['skipped'] += 1
            xml.SubElement(case, 'skipped', type=ktap.XFAIL, message=note)
        elif outcome(row) == ktap.XPASS:
            xml.SubElement(case, 'system-out').text = note
    for key, value in count.items():
        suite.set(key, str(value))
    suite.set('time', f'{seconds or 0:.3f}')
    return count


def to_lava(runs: Iterable[Results]) -> str:
    """A line for each result, as LAVA finds them in what a job prints.

    Problems that are not of a case show only in the job's own result.
    """
    lines = []
    for run in runs:
        for test in run['tests']:
            for row in reported(test):
                whole = row['name'] == test['name']
                name = test['name'] if whole else f'{test["name"]}.{row["name"]}'
                word = LAVA_WORDS.get(outcome(row), outcome(row))
                lines.append(f'<LAVA_SIGNAL_TESTCASE TEST_CASE_ID={NOT_LAVA.sub("_", name)} '
                             f'RESULT={word}>\n')
    return ''.join(lines)


@dataclasses.dataclass(frozen=True)
class Output:
    """Files that add_options() asks for, '' for none."""

    json: str = ''
    junit: str = ''
    lava: str = ''
    kcidb: str = ''
    kcidb_origin: str = 'tdxtest'

    def to_standard_output(self) -> bool:
        return '-' in (self.json, self.junit, self.lava, self.kcidb)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--json', nargs='?', const='-', default=Output.json, metavar='FILE',
                        help='write the results as JSON, - for standard output')
    parser.add_argument('--junit', default=Output.junit, metavar='FILE',
                        help='write the results as JUnit XML, - for standard output')
    parser.add_argument('--lava', default=Output.lava, metavar='FILE',
                        help='write the results as signals of LAVA, - for standard output')
    parser.add_argument('--kcidb', default=Output.kcidb, metavar='FILE',
                        help="write the results in the format of KernelCI's database, - for "
                             'standard output')
    parser.add_argument('--kcidb-origin', default=Output.kcidb_origin, metavar='NAME',
                        help='the name of the CI system in it (default: %(default)s)')


def save(runs: Sequence[Results], output: Output) -> None:
    """Write the forms that were asked for.

    If one cannot be written, a line says so, and the exit status stays that of the verdict.
    """
    for path, form in ((output.json, to_json), (output.junit, to_junit), (output.lava, to_lava),
                       (output.kcidb, lambda ran: kcidb.to_kcidb(ran, output.kcidb_origin))):
        try:
            if path:
                write(path, form(runs))
        except OSError as e:
            print(f'tdxtest: {path} was not written: {e.strerror}', file=sys.stderr)


def parse_log(lines: Iterable[str]) -> judging.Judged:
    """The guest of a saved console, as judging.judge_all() takes it."""
    console = ktap.Console()
    for line in lines:
        console.feed(line)
    return console, '' if console.powered_off else 'the log ends', {}
