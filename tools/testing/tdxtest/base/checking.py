# SPDX-License-Identifier: GPL-2.0-only
"""What a check says of itself, and how checks are found and run.

A check is a file of checks/ with NAME, WHEN, and check(), which takes what WHEN
says and gives a line for each thing that is wrong. AFTER, if it has one, is the
file of another check that must have run before it.
"""

import contextlib
import enum
import typing
from collections.abc import Callable, Collection, Iterable

from tdxtest.base import discovery
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress


class NotHere(Exception):
    """Raised by a check that this machine does not allow. The text says why."""


class When(enum.Enum):
    """When a check runs, and what its check() takes."""

    STATIC = 'static'       # the Progress: it needs nothing but the project
    TREE = 'tree'           # the WorkTree: it needs the source of a kernel
    SUITE = 'suite'         # the Suite, built
    BOOT = 'boot'           # a Built: it boots, or builds something of another kind
    RUN = 'run'             # the GuestRun of the whole suite
    LONG = 'long'           # a Built; in make check-long only


class Check(typing.Protocol):
    """What a module of checks/ has. It may have AFTER as well."""

    __name__: str
    NAME: str
    WHEN: When
    check: Callable[[typing.Any], Iterable[str]]


def load() -> list[Check]:
    """The modules of all checks, by name, except where AFTER says otherwise."""
    left = discovery.modules('checks')
    order: list[Check] = []
    done: set[str] = set()
    while left:
        name = next((n for n, module in left.items()
                     if getattr(module, 'AFTER', None) in (None, *done)), None)
        if not name:
            raise Failure(f'checks/{next(iter(left))}.py: AFTER names no check before it')
        done.add(name)
        order.append(typing.cast(Check, left.pop(name)))
    return order


def name_of(check: Check) -> str:
    """The name of a check's file, which AFTER gives."""
    return check.__name__.rpartition('.')[2]


def chosen(when: Collection[When], text: str) -> list[Check]:
    """The checks that are due at one of `when` and have the text in their name.

    They include each check that AFTER of one of them names. UsageError for a text
    that no name has.
    """
    due = [check for check in load() if check.WHEN in when]
    names = {name_of(check) for check in due if text in check.NAME}
    if not names:
        raise UsageError(f'--only {text}: there are {", ".join(check.NAME for check in due)}')
    # In the order of load() a check comes after the one that it needs.
    for check in reversed(due):
        if name_of(check) in names:
            names.add(getattr(check, 'AFTER', ''))
    return [check for check in due if name_of(check) in names]


def run(checks: Iterable[Check], when: When, progress: Progress, subject: object,
        skipped: list[str] | None = None) -> int:
    """Run those of the checks that are due at `when`; gives how many found something wrong.

    A long one says when it begins. The step that goes on says which one it is at.
    skipped: takes the names of those that this machine does not allow.
    """
    failed = 0
    due = [check for check in checks if check.WHEN == when]
    for number, check in enumerate(due, 1):
        step = (progress.step('check', f'{check.NAME}: {number} of {len(due)}')
                if when == When.LONG else contextlib.nullcontext())
        progress.doing = '' if when == When.LONG else check.NAME
        try:
            with step:
                wrong = list(check.check(subject))
        except NotHere as e:
            progress.say(f'check: {check.NAME}: skipped, {e}')
            if skipped is not None:
                skipped.append(check.NAME)
            continue
        progress.say(f'check: {check.NAME}: ' + (f'{len(wrong)} wrong' if wrong else 'ok'))
        for line in wrong:
            progress.line(f'  {line}')
        failed += bool(wrong)
    progress.doing = ''
    return failed
