# SPDX-License-Identifier: GPL-2.0-only
"""Every checker of the CI job files is installed, and finds nothing."""

import os
from collections.abc import Iterator

from tdxtest.base import apt, command
from tdxtest.base.checking import When
from tdxtest.checks.ci_jobs import CHECKERS, Checkers, complaints
from tdxtest.guest.stages import Built

NAME = 'CI job files, all checkers'
WHEN = When.LONG
ACTION_VALIDATOR = '@action-validator/cli@0.6.0'


def install_checkers(built: Built) -> Checkers:
    """Install what CHECKERS want, the npm one into the build folder; gives the table to use."""
    log = built.build.log('apt')
    apt.ensure_installed(built.progress, log, 'check-long')
    folder = built.build.folder('npm')
    program = os.path.join(folder, 'node_modules/.bin/action-validator')
    if not os.path.exists(program):
        with built.progress.step('npm', f'{ACTION_VALIDATOR} into {folder}'):
            command.run(['npm', 'install', '--no-audit', '--no-fund', '--prefix', folder,
                         ACTION_VALIDATOR, '@action-validator/core@0.6.0'], log)
    checkers = dict(CHECKERS)
    prefix, _, _ = checkers['action-validator']
    checkers['action-validator'] = (prefix, [program, '--help'], [program])
    return checkers


def check(built: Built) -> Iterator[str]:
    absent: list[str] = []
    yield from complaints(install_checkers(built), absent.append)
    for name in absent:
        yield f'ci/: {name} was installed, but does not run'
