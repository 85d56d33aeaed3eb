# SPDX-License-Identifier: GPL-2.0-only
"""A review of a seeded series reports the cases that its mutant names as red."""

import email.message
import mailbox
import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.commands.review import Review
from tdxtest.guest.stages import Built
from tdxtest.tree import mbox
from tdxtest.verdict import mutants

NAME = 'review of a seeded series'
WHEN = When.LONG
# The mutant that make check-long reviews.
SEEDED = 'map_gpa/retry-falls-through'


def seeded_series(folder: str, mutant: mutants.Mutant) -> str:
    """An mbox of a mutant, as an archive gives it: with a cover letter, encoded."""
    with open(mutant.path, 'rb') as f:
        body = f.read()
    path = os.path.join(folder, f'{mutant.flat_name}.mbox')
    box = mailbox.mbox(path)
    box.clear()
    for subject, text in ((f'[PATCH v3 1/1] {mutant.subject}', body),
                          ('[PATCH v3 0/1] A seeded regression', b'Words only.\n'),
                          ('Re: [PATCH v3 1/1] An answer', b'> quoted\n')):
        message = email.message.EmailMessage()
        message['Subject'] = subject
        message.set_content(text.decode(), cte='base64')
        box.add(message)
    box.close()
    return path


def check(built: Built) -> Iterator[str]:
    mutant = mutants.chosen([SEEDED])[0]
    series = mbox.read([seeded_series(built.build.folder('review'), mutant)])
    review = Review(built, series)
    review.build()
    named = mutant.named_cases(built.suite.cases_of)
    found = review.run([(test, [word for case in cases for word in ('-r', case)])
                        for test, cases in named.items()])
    red = {(change.test, change.case) for change in found.changes if change.kind() == 'went red'}
    for test, cases in named.items():
        yield from (f'review: {test}: {case} did not go red' for case in cases
                    if (test, case) not in red)
    yield from (f'review: {problem}' for problem in found.problems)
