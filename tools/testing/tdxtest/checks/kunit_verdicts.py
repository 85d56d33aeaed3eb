# SPDX-License-Identifier: GPL-2.0-only
"""KUnit's parser gives the verdicts that it must on saved logs."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import TEST_DATA
from tdxtest.tree.work_tree import WorkTree
from tdxtest.verdict.kunit import parser_of, problems

NAME = 'KUnit verdicts'
WHEN = When.TREE
# What the parser must make of saved logs: (file of test_data/kunit/, what is wrong).
VERDICTS = (
    ('pass.log', ()),
    ('fail.log', ('tdx_sim.lock_modes: failure',)),
    # A case that did not run has shown nothing.
    ('skip.log', ('tdx_sim.lock_modes: skipped', 'tdx_sim.leaf_dispatch: skipped',
                  'tdx_sim_sept.mrtd_of_a_page: skipped')),
    ('crash.log', ('tdx_sim: test_crashed', 'no suite: test_crashed')),
    ('none.log', ('<missing>: failure_to_parse_tests',)),
)


def check(work: WorkTree) -> Iterator[str]:
    for name, wanted in VERDICTS:
        with open(os.path.join(TEST_DATA, 'kunit', name), encoding='utf-8') as log:
            wrong, _, _ = problems(parser_of(work.tree), log)
        got = [line.removeprefix('KUnit: ') for line in wrong]
        if got != list(wanted):
            yield f'test_data/kunit/{name}: wanted {list(wanted)}, got {got}'
