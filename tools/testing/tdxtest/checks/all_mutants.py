# SPDX-License-Identifier: GPL-2.0-only
"""Every mutant is killed, or says why it cannot be."""

from tdxtest.base.checking import When
from tdxtest.commands.mutate import GOOD, Trial
from tdxtest.verdict import mutants

NAME = 'mutants'
WHEN = When.LONG


def check(built):
    trial = Trial(built, mutants.chosen([]), False)
    trial.build()
    trial.run()
    for verdict in trial.verdicts.values():
        if verdict.kind not in GOOD:
            yield f'mutants/{verdict.mutant.name}: {verdict.kind}: ' + '; '.join(verdict.problems)
