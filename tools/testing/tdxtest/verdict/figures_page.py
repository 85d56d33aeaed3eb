# SPDX-License-Identifier: GPL-2.0-only
"""The page of figures in Documentation/, made of what a bench measured."""

import collections
from collections.abc import Iterable, Iterator

from tdxtest.base.failure import UsageError
from tdxtest.verdict import results
from tdxtest.verdict.bench_table import number

PAGE = 'Documentation/dev-tools/tdxtest-figures.rst'
FORMAT = 'tdxtest-bench-1'
HEAD = '''\
.. SPDX-License-Identifier: GPL-2.0

:orphan:

==================
Figures of tdxtest
==================

``tdxtest.py bench --figures`` writes this page from the measurements of the last
``tdxtest.py bench``.  Other pages have no figures that depend on the suite's size or on
a machine.
'''


def facts(run: results.Results) -> dict[str, str]:
    """What was run on what, for the page; run: a results.collect() of the whole suite."""
    cases = [case for test in run['tests'] for case in test['cases']]
    outcomes = collections.Counter(results.outcome(case) for case in cases)
    return {'Date': run['date'][:len('2026-01-31')],
            'Kernel': f'Linux {run["kernel"]}',
            'Machine of the guest': run['machine'],
            'Tests': str(sum(bool(test['cases']) for test in run['tests'])),
            'Cases': str(len(cases)),
            'Cases that passed': str(outcomes['pass']),
            'Cases that skipped themselves': str(outcomes['skip'])}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a simple table."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = '  '.join('=' * width for width in widths)

    def line(row: tuple[str, ...]) -> str:
        return '  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()

    yield from (rule, line(head), rule, *map(line, rows), rule, '')


def section(title: str) -> Iterator[str]:
    yield from (title, '=' * len(title), '')


def verdict(target: results.Results) -> str:
    if target['value'] is None:
        return 'not measured'
    return 'held' if target['held'] else 'missed'


def render(bench: results.Results) -> str:
    """The page, of a bench.json. UsageError for a bench that failed, or without the suite."""
    if bench['failures']:
        raise UsageError(f'the last bench did not come to its end: {bench["failures"][0]}')
    if not bench.get('facts'):
        raise UsageError('the last bench did not run the suite; measure all parts')
    lines = [HEAD, *section('What was measured'),
             *table(('Fact', 'Value'), bench['facts'].items())]
    for group in dict.fromkeys(row['group'] for row in bench['rows']):
        lines += section(group[0].upper() + group[1:])
        lines += table(('Step', 'Median', 'Least', 'Most', 'Unit', 'Samples'), [
            (row['name'], number(row['median']), number(min(row['samples'])),
             number(max(row['samples'])), row['unit'] or '-', str(len(row['samples'])))
            for row in bench['rows'] if row['group'] == group])
    lines += section('Targets')
    lines += table(('Target', 'Measured', 'At most', 'Unit', 'Verdict'), [
        (each['name'], '-' if each['value'] is None else f'{each["value"]:.2f}',
         f'{each["limit"]:g}', each['unit'], verdict(each)) for each in bench['targets']])
    return '\n'.join(lines).rstrip('\n') + '\n'
