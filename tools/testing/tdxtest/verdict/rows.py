# SPDX-License-Identifier: GPL-2.0-only
"""The rows of results: a test or a case as a dict, and what became of it."""

import typing

from tdxtest.verdict import ktap

# What JSON can hold: of a run, of a test, or of a case.
Results = dict[str, typing.Any]


def outcome(row: Results) -> str:
    """pass, fail, skip, ktap.XFAIL or ktap.XPASS."""
    return ktap.outcome(row['ok'], row['skip'], row.get('mark', ''))


def reported(test: Results) -> list[Results]:
    """The rows that stand for a test in a report: its cases, or itself without any.

    A test that failed for another reason than a case of it is a row as well.
    """
    own = {'name': test['name'], **{k: test[k] for k in ('ok', 'skip', 'note', 'seconds')},
           'mark': test.get('mark', '')}
    cases: list[Results] = test['cases']
    if not cases or (not test['ok'] and all(c['ok'] for c in cases)):
        return [*cases, own]
    return cases
