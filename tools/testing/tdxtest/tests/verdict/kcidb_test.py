# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kcidb.py: what it writes has the form that KernelCI's database takes.

SCHEMA is that form, of version 5.3 of KCIDB's schema of 2026, as far as it is written here:
{object: (fields that it must have, {field: what it may hold})}. The objects have no other field.
"""

import json
import re
import unittest

from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, UsageError
from tdxtest.guest import request
from tdxtest.verdict import kcidb

SCHEMA_VERSION = (5, 3)
TEXT = r'[^\0]*'
ID = r'[a-z0-9_]+:[^\0]*'
ORIGIN = r'[a-z0-9_]+'
TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)'
STATUS = 'FAIL|ERROR|MISS|PASS|DONE|SKIP'
PATH = r'([a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*)?'
COMMON = {'id': ID, 'origin': ORIGIN, 'comment': TEXT, 'misc': dict}
RUN = {**COMMON, 'start_time': TIME, 'log_url': r'[a-z]+:.*', 'log_excerpt': r'[^\0]{0,16384}'}
SCHEMA = {
    'checkouts': (('id', 'origin'), {
        **RUN, 'tree_name': TEXT, 'git_repository_url': 'https://.*',
        'git_commit_hash': '[0-9a-f]{40}', 'git_commit_name': TEXT, 'git_commit_tags': list,
        'git_commit_message': TEXT, 'git_repository_branch': TEXT,
        'git_repository_branch_tip': bool, 'patchset_files': list,
        'patchset_hash': '([0-9a-f]{64})?', 'message_id': '.+@.+',
        'origin_builds_finish_time': TIME, 'origin_tests_finish_time': TIME, 'valid': bool}),
    'builds': (('checkout_id', 'id', 'origin'), {
        **RUN, 'checkout_id': ID, 'duration': (int, float), 'architecture': '[a-z0-9_]*',
        'command': TEXT, 'compiler': TEXT, 'input_files': list, 'output_files': list,
        'config_name': TEXT, 'config_url': r'[a-z]+:.*', 'status': STATUS}),
    'tests': (('build_id', 'id', 'origin'), {
        **RUN, 'build_id': ID, 'environment': 'environment', 'path': PATH, 'status': STATUS,
        'number': dict, 'duration': (int, float), 'input_files': list, 'output_files': list}),
    'environment': ((), {'compatible': list, 'comment': TEXT, 'misc': dict}),
    'issues': (('id', 'origin', 'version'), {
        **COMMON, 'version': int, 'categories': list, 'report_url': r'[a-z]+:.*',
        'report_subject': TEXT, 'culprit': 'culprit'}),
    'culprit': ((), {'code': bool, 'tool': bool, 'harness': bool}),
    'incidents': (('id', 'origin', 'issue_id', 'issue_version'), {
        **COMMON, 'issue_id': ID, 'issue_version': int, 'build_id': ID, 'test_id': ID,
        'present': bool}),
}
LISTS = ('checkouts', 'builds', 'tests', 'issues', 'incidents')


def wrong_object(kind, held):
    """Lines on what an object has that the schema does not allow."""
    needed, fields = SCHEMA[kind]
    for name in needed:
        if name not in held:
            yield f'{kind}: no {name}'
    for name, value in held.items():
        wanted = fields.get(name)
        if wanted is None:
            yield f'{kind}: {name} is no field'
        elif isinstance(wanted, str) and wanted in SCHEMA:
            yield from wrong_object(wanted, value)
        elif isinstance(wanted, str):
            if not isinstance(value, str) or not re.fullmatch(wanted, value, re.DOTALL):
                yield f'{kind}: {name}: {value!r}'
        elif not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            yield f'{kind}: {name}: {value!r}'


def wrong(data):
    """Lines on what is wrong with KCIDB's JSON."""
    for name in data.keys() - {'version', *LISTS}:
        yield f'{name} is no part of it'
    version = data.get('version', {})
    if (version.get('major'), version.get('minor')) != SCHEMA_VERSION:
        yield f'version: {version}'
    for kind in LISTS:
        for held in data.get(kind, []):
            yield from wrong_object(kind, held)
        ids = [held.get('id') for held in data.get(kind, [])]
        yield from (f'{kind}: {name} is there twice' for name in set(ids) if ids.count(name) > 1)
    known = {kind: {held.get('id') for held in data.get(kind, [])} for kind in LISTS}
    for kind, field, of in (('builds', 'checkout_id', 'checkouts'), ('tests', 'build_id', 'builds'),
                            ('incidents', 'issue_id', 'issues'), ('incidents', 'test_id', 'tests')):
        yield from (f'{kind}: {field} {held.get(field)} is not there' for held in data.get(kind, [])
                    if held.get(field) not in known[of])


def case(name, ok=True, skip=False, note='', mark='', seconds=1.25):
    return {'name': name, 'ok': ok, 'skip': skip, 'note': note, 'mark': mark, 'seconds': seconds}


def ran(*cases, status=EXIT_PASS, **more):
    test = {**case('a_test', ok=all(one['ok'] for one in cases)), 'cases': list(cases)}
    return {'kernel': '7.3.4', 'origin': 'linux-source-7.3 7.3.4-1', 'machine': 'bochs',
            'abi': 'merged', 'expected': 'merged', 'patches': [], 'cpus': 2, 'debug': False,
            'date': '2026-11-30T10:00:00+00:00', 'status': status, 'summary': 'PASS: some',
            'problems': [], 'tests': [test], **more}


CASES = (case('f.one'), case('f.two', ok=False, note='R10: wanted 0, got 1\0'),
         case('f.three', skip=True, note='SKIP no TDX', seconds=None),
         case('f.four', mark='xfail', note='XFAIL finding 7: got 1'),
         case('f.five', mark='xpass', note='XPASS finding 7'), case('f.strange name: x'))


class Schema(unittest.TestCase):

    def data(self, *runs, **more):
        return json.loads(kcidb.to_kcidb(runs, titles={7: 'a bug'}, **more))

    def test_valid(self):
        runs = (ran(*CASES, status=EXIT_FAIL), ran(CASES[0], abi='legacy', patches=['abi/1.patch']),
                ran(CASES[0], commit='0' * 40, shard='1/4'), ran(case('f.one'), case('f.one')))
        self.assertEqual(list(wrong(self.data(*runs))), [])

    def test_the_schema_notices(self):
        for change in (lambda d: d['tests'][0].update(path='a b'),
                       lambda d: d['tests'][0].update(status='OK'),
                       lambda d: d['tests'][0].update(duration=None),
                       lambda d: d['tests'][0].update(other=1),
                       lambda d: d['tests'][0].pop('build_id'),
                       lambda d: d['tests'][0].update(build_id='tdxtest:other'),
                       lambda d: d['tests'].append(d['tests'][0]),
                       lambda d: d['tests'][0]['environment'].update(cpus=1),
                       lambda d: d['builds'][0].update(status='DEAD'),
                       lambda d: d['checkouts'][0].update(valid='yes'),
                       lambda d: d['checkouts'][0].update(start_time='today'),
                       lambda d: d['incidents'][0].update(issue_version='1'),
                       lambda d: d['version'].update(major=4), lambda d: d.update(runs=[])):
            data = self.data(ran(*CASES, status=EXIT_FAIL))
            change(data)
            self.assertTrue(list(wrong(data)))

    def test_what_became_of_a_case(self):
        data = self.data(ran(*CASES, status=EXIT_FAIL))
        rows = {test['path']: test for test in data['tests']}
        self.assertEqual({path.removeprefix('kselftest.kvm.a_test.'): test['status']
                          for path, test in rows.items()},
                         {'f.one': 'PASS', 'f.two': 'FAIL', 'f.three': 'SKIP', 'f.four': 'FAIL',
                          'f.five': 'PASS', 'f.strange_name_x': 'PASS'})
        two = rows['kselftest.kvm.a_test.f.two']
        self.assertEqual((two['duration'], two['comment'], two['environment']['misc'],
                          two['misc']['outcome']),
                         (1.25, 'R10: wanted 0, got 1', {'cpus': 2}, 'fail'))
        self.assertNotIn('duration', rows['kselftest.kvm.a_test.f.three'])
        self.assertEqual(data['issues'], [{
            'id': 'tdxtest:finding-7', 'version': 1, 'origin': 'tdxtest', 'report_subject': 'a bug',
            'culprit': {'code': True, 'tool': False, 'harness': False}}])
        self.assertEqual([(one['test_id'], one['present']) for one in data['incidents']],
                         [(rows['kselftest.kvm.a_test.f.four']['id'], True),
                          (rows['kselftest.kvm.a_test.f.five']['id'], False)])

    def test_what_did_not_run_is_not_green(self):
        for status, word in ((EXIT_NOT_RUN, 'MISS'), (EXIT_FAIL, 'FAIL')):
            data = self.data(ran(CASES[0], status=status, summary='did not boot', problems=['x']))
            self.assertEqual(list(wrong(data)), [])
            self.assertEqual([(test['path'], test['status'], test['comment'])
                              for test in data['tests'][1:]],
                             [('kselftest.kvm.tdxtest', word, 'did not boot; x')])

    def test_shards_are_told_apart(self):
        first, second = ran(CASES[0], shard='1/2'), ran(CASES[0], shard='2/2')
        data = self.data(first, second)
        self.assertEqual((len(data['builds']), len(data['tests'])), (1, 2))
        self.assertEqual(list(wrong(data)), [])

    def test_origin(self):
        data = self.data(ran(CASES[0]), origin='my_ci')
        self.assertTrue(data['tests'][0]['id'].startswith('my_ci:'))
        with self.assertRaisesRegex(UsageError, '--kcidb-origin My-CI: wanted'):
            request.part(request.results.Output, {'kcidb_origin': 'My-CI'})
