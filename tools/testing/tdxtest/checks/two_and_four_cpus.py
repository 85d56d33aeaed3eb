# SPDX-License-Identifier: GPL-2.0-only
"""The suite passes with each number of CPUs."""

from tdxtest.base.checking import When
from tdxtest.checks.two_cpus import still_skipped

NAME = 'two and four CPUs'
WHEN = When.LONG
# Of the guests that run the whole suite.
WHOLE = (2, 4)


def check(session):
    before = session.args.cpus
    try:
        for session.args.cpus in WHOLE:
            verdict = session.boot(session.suite.select([]))
            session.progress.say(f'check: {session.args.cpus} CPUs: {verdict.summary}')
            yield from (f'{session.args.cpus} CPUs: {problem}' for problem in verdict.wrong())
            yield from still_skipped(session.results[-1], session.args.cpus)
    finally:
        session.args.cpus = before
