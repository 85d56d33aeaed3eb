# SPDX-License-Identifier: GPL-2.0-only
"""What a review found: as a mail that answers the series, and as JSON for programs."""

import dataclasses
import email.message
import email.policy
import email.utils
import json
import textwrap
import typing

from tdxtest.base.failure import EXIT_PASS
from tdxtest.verdict.comparison import Comparison
from tdxtest.verdict.review_report import by_kind, hangs, still

FORMAT = 'tdxtest-review-1'
WIDTH = 72
# A mail that is longer is not read.
LINES = 38
# How many cases of one kind a mail names at first.
NAMED = 5


def is_green(found: Comparison) -> bool:
    """True if cases ran, and nothing is wrong, with the series or without it."""
    return (found.status() == EXIT_PASS and not found.red_before and not found.notes and
            bool(found.same or found.changes))


def changes_and_hangs(found: Comparison, most: int) -> list[str]:
    """Lines on what changed, at most `most` cases of each kind."""
    # As many frames of a stack as cases of a kind.
    lines: list[str] = hangs(found)[:2 * most] if found.hangs else []
    for problem in found.problems[:most]:
        lines += wrapped(f'With the series: {problem}')
    for kind, changes in by_kind(found):
        lines += ['', f'{len(changes)} case(s): {kind}', '']
        for change in changes[:most]:
            lines.append(f'  {change.test}:{change.case}')
            if change.note:
                lines += wrapped(change.note, '    ')
        if len(changes) > most:
            lines.append(f'  and {len(changes) - most} more')
    return lines


def wrapped(text: str, indent: str = '') -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)


def body(found: Comparison, who: str) -> str:
    """The text of the mail. who: "NAME <MAIL>", '' if that is not known."""
    series = found.series
    scope = (f'the {len(series.patches)} patches' if len(series.patches) > 1 else 'the patch')
    head = wrapped(f'I ran the TDX hypercall-exit selftests on Linux {found.version} without and '
                   f'with {scope}, in an emulator with a simulated TDX module: '
                   f'{found.verdict()}.')
    notes = [line for note in found.notes[:3] for line in wrapped(f'Note: {note}')]
    known = [line for problem in still(found)[:3]
             for line in wrapped(f'Already without the series: {problem}')]
    end = ['', f'Tested-by: {who}'] if is_green(found) and who else []
    lines = head
    for most in range(NAMED, 0, -1):
        told = changes_and_hangs(found, most)
        lines = [*head, *(['', *told] if told and told[0] else told),
                 *(['', *notes] if notes else []), *(['', *known] if known else []), *end]
        if len(lines) <= LINES:
            break
    if len(lines) > LINES:
        lines = [*lines[:LINES - 1], '...']
    return '\n'.join(lines) + '\n'


def mail(found: Comparison, who: str) -> str:
    """The mail, as git send-email takes it."""
    series = found.series
    policy = email.policy.EmailPolicy(max_line_length=998, cte_type='8bit')
    made = email.message.EmailMessage(policy)
    if who:
        made['From'] = who
    if series.sender:
        made['To'] = series.sender
    subject = series.subject or f'[PATCH] {series.title}'
    made['Subject'] = subject if subject.lower().startswith('re:') else f'Re: {subject}'
    if series.message_id:
        made['In-Reply-To'] = series.message_id
        made['References'] = series.message_id
    made['Date'] = email.utils.formatdate(localtime=False)
    made.set_content(body(found, who), cte='8bit')
    return made.as_string()


def as_json(found: Comparison) -> str:
    """All of it for a program."""
    series = found.series
    data: dict[str, typing.Any] = {
        'format': FORMAT, 'status': found.status(), 'verdict': found.verdict(),
        'kernel': found.version, 'built': found.built,
        'series': {'title': series.title, 'version': series.version, 'base': series.base,
                   'message_id': series.message_id,
                   'patches': [patch.label() for patch in series.patches]},
        'changes': [{**dataclasses.asdict(change), 'kind': change.kind(), 'red': change.is_red()}
                    for change in found.changes],
        'problems': found.problems, 'problems_before': found.red_before,
        'hangs': [{**dataclasses.asdict(hang), 'where': hang.where()} for hang in found.hangs],
        'problems_gone': found.gone, 'not_run': found.not_run,
        'same': found.same, 'not_built': found.ignored, 'notes': found.notes}
    return json.dumps(data, indent=1, ensure_ascii=False) + '\n'
