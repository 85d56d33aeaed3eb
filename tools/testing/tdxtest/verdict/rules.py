# SPDX-License-Identifier: GPL-2.0-only
"""rules/*.tsv: which cases pin which rule of KVM's contract.

A row is a rule, the patterns of its cases (TEST:PATTERN, several by spaces) and
the rule in words. Every pattern must match a case of a built test.
"""

import fnmatch
import os

from tdxtest.base.paths import RULES



def tables():
    return sorted(n for n in os.listdir(RULES) if n.endswith('.tsv'))


def rows(name, text=None):
    """(line number, [columns]) of each row of a table."""
    if text is None:
        with open(os.path.join(RULES, name), encoding='utf-8') as f:
            text = f.read()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith('#'):
            yield number, line.split('\t')


def check_rows(name, cases_of, text=None):
    """What is wrong with a table; cases_of(test) gives the ids, None without such a test."""
    seen = set()
    for number, columns in rows(name, text):
        where = f'rules/{name}:{number}'
        if len(columns) != 3 or not all(c.strip() for c in columns):
            yield f'{where}: wanted rule, cases, what; got {len(columns)} column(s)'
            continue
        rule, patterns, _ = columns
        if rule in seen:
            yield f'{where}: rule {rule} has a row already'
        seen.add(rule)
        for word in patterns.split():
            test, _, pattern = word.partition(':')
            cases = cases_of(test)
            if cases is None:
                yield f'{where}: {rule}: no test {test!r}'
            elif not fnmatch.filter(cases, pattern):
                yield f'{where}: {rule}: no case of {test} matches {pattern!r}'
    if not seen:
        yield f'rules/{name}: has no rows'


def check(built):
    """The tables against the built suite."""
    for name in tables():
        yield from check_rows(name, built.cases_of)
