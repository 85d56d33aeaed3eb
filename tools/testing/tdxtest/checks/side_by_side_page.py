# SPDX-License-Identifier: GPL-2.0-only
"""Looks at the page of several runs in a browser, and uses its filter as a person would."""

import copy
import os
import tempfile
from collections.abc import Iterator

from tdxtest.base import apt
from tdxtest.base.checking import When
from tdxtest.checks.report_page import browse, sample_runs
from tdxtest.guest.stages import Built
from tdxtest.verdict import results, side_by_side
from tdxtest.verdict.results import Results

NAME = 'runs side by side in a browser'
WHEN = When.LONG
WIDTH = 1280
# Fills the form field by field, and counts the rows that are seen each time.
PROBE = """<script>
const seen = () => rows.filter(row => row.getClientRects().length > 0);
const after = (field, name, value) => {
  field[name] = value;
  field.dispatchEvent(new Event('input'));
  const found = seen().map(row => row.dataset.words);
  field[name] = name === 'checked' ? false : '';
  field.dispatchEvent(new Event('input'));
  return found;
};
document.documentElement.dataset.probe = JSON.stringify({
  all: seen().length,
  columns: document.querySelectorAll('thead tr:first-child th').length - 1,
  text: after(text, 'value', 'NO-SUCH-CASE').length,
  failed: after(word, 'value', 'fail'),
  apart: after(apart, 'checked', true),
  count: document.getElementById('count').textContent,
  outside: document.querySelectorAll('[src], [href]').length,
});
</script></body>"""


def sample() -> list[Results]:
    """Runs of two kernels, one of them in two parts, and a series that breaks a case."""
    runs = list(sample_runs())
    first = next(run for run in runs if run['tests'])
    halves: list[Results] = [{**copy.deepcopy(first), 'shard': f'{n}/2'} for n in (1, 2)]
    other: Results = {**copy.deepcopy(first), 'kernel': '7.2.1', 'label': 'with the series'}
    for number, half in enumerate(halves):
        for test in half['tests']:
            test['cases'] = test['cases'][number::2]
    broken = next(case for test in other['tests'] for case in test['cases'])
    broken['ok'], broken['note'] = False, 'R10: wanted 0, got <1>'
    return [*halves, other]


def look(runs: list[Results], folder: str) -> Iterator[str]:
    """Lines that are wrong with the page of some runs."""
    made = side_by_side.columns(runs)
    seen, _ = browse(side_by_side.page(runs), folder, WIDTH, PROBE)
    cases = len({case for _, rows in made for case in rows})
    where = 'side by side'
    for what, wanted in (('all', cases), ('columns', len(made)), ('text', 0), ('outside', 0),
                         ('count', f'{cases} of {cases} cases')):
        if seen[what] != wanted:
            yield f'{where}: {what}: wanted {wanted}, got {seen[what]}'
    if not all('fail' in words.split() for words in seen['failed']):
        yield f'{where}: the filter for failures shows {seen["failed"]}'
    if not all(len(words.split()) > 1 for words in seen['apart']):
        yield f'{where}: the filter for what differs shows {seen["apart"]}'
    if runs and runs[-1].get('label') and not (seen['failed'] and seen['apart']):
        yield f'{where}: a case that the series breaks is not shown: {seen}'


def check(built: Built) -> Iterator[str]:
    """The page of saved consoles, and that of the last run beside itself."""
    apt.ensure_installed(built.progress, built.build.log('apt'), 'check-long')
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='report-') as folder:
        yield from look(sample(), folder)
        last = built.build.path(results.LAST)
        if os.path.exists(last):
            yield from look(results.load(last), folder)
