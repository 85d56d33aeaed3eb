# SPDX-License-Identifier: GPL-2.0-only
"""rules/*.rules: which cases pin which rule of KVM's contract.

A stanza is a rule: its name, what it says, and TEST:PATTERN on a line for each of the
patterns of its cases. Every pattern must match a case of a built test.
"""

import fnmatch
import os
from collections.abc import Callable, Iterator

from tdxtest.base import stanzas
from tdxtest.base.failure import Failure
from tdxtest.base.paths import RULES
from tdxtest.tree.suite import Suite

SUFFIX = '.rules'


def names() -> list[str]:
    """The files of the folder."""
    return sorted(n for n in os.listdir(RULES) if n.endswith(SUFFIX))


def text_of(name: str) -> str:
    with open(os.path.join(RULES, name), encoding='utf-8') as f:
        return f.read()


def check_text(name: str, text: str,
               cases_of: Callable[[str], list[str] | None]) -> Iterator[str]:
    """What is wrong with a file; cases_of(test) gives the ids, None without such a test."""
    where = f'rules/{name}'
    try:
        rules = stanzas.parse(text, where)
    except Failure as e:
        yield str(e)
        return
    seen = set()
    for rule in rules:
        if rule.name in seen:
            yield f'{where}:{rule.line}: has a rule {rule.name} already'
        seen.add(rule.name)
        for number, item in rule.items:
            test, _, pattern = item.partition(':')
            cases = cases_of(test)
            if cases is None:
                yield f'{where}:{number}: {rule.name}: no test {test!r}'
            elif not fnmatch.filter(cases, pattern):
                yield f'{where}:{number}: {rule.name}: no case of {test} matches {pattern!r}'
    if not rules:
        yield f'{where}: has no rules'


def check(built: Suite) -> Iterator[str]:
    """The rules against the built suite."""
    for name in names():
        yield from check_text(name, text_of(name), built.cases_of)
