# SPDX-License-Identifier: GPL-2.0-only
"""What a check says of itself, and how checks are found and run.

A check is a file of checks/ with NAME, WHEN, and check(), which takes what WHEN
says and gives a line for each thing that is wrong. AFTER, if it has one, is the
file of another check that must have run before it.
"""

import enum

from tdxtest.base import rooms
from tdxtest.base.failure import Failure


class When(enum.Enum):
    """When a check runs, and what its check() takes."""

    STATIC = 'static'       # the Progress: it needs nothing but the project
    TREE = 'tree'           # the WorkTree: it needs the source of a kernel
    SUITE = 'suite'         # the Suite, built
    BOOT = 'boot'           # a Built: it boots, or builds something of another kind
    RUN = 'run'             # the Run of the whole suite
    LONG = 'long'           # a Built; in make check-long only


def load():
    """The modules of all checks, by name but for AFTER."""
    left = rooms.modules('checks')
    order, done = [], set()
    while left:
        name = next((n for n, module in left.items()
                     if getattr(module, 'AFTER', None) in (None, *done)), None)
        if not name:
            raise Failure(f'checks/{next(iter(left))}.py: AFTER names no check before it')
        done.add(name)
        order.append(left.pop(name))
    return order


def run(checks, when, progress, subject):
    """Run those of the checks that are due at `when`; gives how many found something wrong."""
    failed = 0
    for check in checks:
        if check.WHEN != when:
            continue
        wrong = list(check.check(subject))
        progress.say(f'check: {check.NAME}: ' + (f'{len(wrong)} wrong' if wrong else 'ok'))
        for line in wrong:
            progress.line(f'  {line}')
        failed += bool(wrong)
    return failed
