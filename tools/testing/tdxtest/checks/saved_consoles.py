# SPDX-License-Identifier: GPL-2.0-only
"""ktap.py and KUnit's parser agree on the saved consoles."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import TEST_DATA
from tdxtest.tree.work_tree import WorkTree
from tdxtest.verdict import kunit
from tdxtest.verdict.second_opinion import compare

NAME = "KTAP, by KUnit's parser too"
WHEN = When.TREE
# Saved consoles that only ktap.py finds wrong, and what KUnit's parser does not check.
STRICTER = {
    'all_skipped': 'whether anything ran',
    'missing_plan': 'for a plan, without which lost results go unnoticed',
    'no_case_ran': 'whether a test has cases',
    'no_tests': 'whether there are tests beside the frame',
    'warns_at_boot': 'about lines before the document',
}


def check(work: WorkTree) -> Iterator[str]:
    modules = kunit.parser_of(work.tree)
    names = sorted(n[:-4] for n in os.listdir(TEST_DATA) if n.endswith('.log'))
    for name in names:
        yield from compare(modules, os.path.join(TEST_DATA, f'{name}.log'), name in STRICTER)
    yield from (f'STRICTER: there is no {name}.log' for name in sorted(set(STRICTER) - set(names)))
