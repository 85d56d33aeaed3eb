# SPDX-License-Identifier: GPL-2.0-only
"""Several runs on one page: a row for each case, a column for each run.

The page refers to no other file and needs no server: its script filters the rows.
"""

import html
import os
from collections.abc import Iterable, Sequence

from tdxtest.verdict.rows import Results, outcome, reported

# What tells runs apart, in the order of a column's head.
WORDS = ('label', 'kernel', 'abi', 'expected', 'cpus', 'machine', 'patches', 'debug')
ABSENT = 'absent'
HERE = os.path.dirname(__file__)
# {(test, case): row}
Rows = dict[tuple[str, str], Results]


def rows_of(run: Results) -> Rows:
    return {(test['name'], row['name']): row for test in run['tests'] for row in reported(test)}


def key_of(run: Results) -> tuple[str, ...]:
    """What a run is, whichever part of the cases it had."""
    return tuple(str(run.get(word, '')) for word in WORDS)


def columns(runs: Iterable[Results]) -> list[tuple[Results, Rows]]:
    """[(a run, its rows)]: the shards of a run are one column, and so are its repetitions.

    Of a case with several results the worst counts.
    """
    found: dict[tuple[str, ...], tuple[Results, Rows]] = {}
    for run in runs:
        _, rows = found.setdefault(key_of(run), (run, {}))
        for case, row in rows_of(run).items():
            if case not in rows or (not row['ok'] and rows[case]['ok']):
                rows[case] = row
    return list(found.values())


def names(runs: Sequence[Results]) -> list[str]:
    """A name for each run, of what is not the same in all of them."""
    apart = [word for word in WORDS if len({str(run.get(word, '')) for run in runs}) > 1]
    return [', '.join(told(word, run.get(word)) for word in apart or WORDS[1:3] if run.get(word))
            or 'run' for run in runs]


def told(word: str, value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ' '.join(os.path.basename(str(one)).removesuffix('.patch') for one in value)
    return {'kernel': f'Linux {value}', 'cpus': f'{value} CPU(s)', 'debug': 'debug',
            'expected': f'expecting {value}'}.get(word, str(value))


def cell(row: Results | None) -> str:
    """A result as a cell of the table, with what the case said as its title."""
    word = outcome(row) if row else ABSENT
    note = html.escape(str(row['note'])) if row and row['note'] else ''
    return f'<td class={word}{f" title={chr(34)}{note}{chr(34)}" if note else ""}>{word}</td>'


def body_row(case: tuple[str, str], rows: Sequence[Rows]) -> str:
    """A row: its attributes are what the script filters by."""
    found = [row.get(case) for row in rows]
    words = [outcome(row) if row else ABSENT for row in found]
    apart = ' data-apart' if len(set(words)) > 1 else ''
    name = html.escape(':'.join(case) if case[0] != case[1] else case[0])
    notes = ' '.join(dict.fromkeys(str(row['note']) for row in found if row and row['note']))
    return (f'<tr data-words="{" ".join(dict.fromkeys(words))}"{apart} '
            f'data-text="{name.lower()} {html.escape(notes.lower())}">'
            f'<th scope=row><code>{name}</code></th>{"".join(map(cell, found))}</tr>\n')


def page(runs: Sequence[Results]) -> str:
    """The page as text."""
    made = columns(runs)
    heads = names([run for run, _ in made])
    cases = sorted({case for _, rows in made for case in rows})
    parts = {}
    for file in ('side_by_side.css', 'side_by_side.js'):
        with open(os.path.join(HERE, file), encoding='utf-8') as f:
            parts[file] = f.read()
    sums = ''.join(f'<td>{html.escape(summed(rows))}</td>' for _, rows in made)
    return (
        '<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>tdxtest: {len(made)} runs side by side</title>\n'
        f'<style>\n{parts["side_by_side.css"]}</style>\n</head>\n<body>\n'
        f'<h1>{len(made)} runs side by side</h1>\n'
        '<form id=filter><label>case or note <input id=text type=search></label>\n'
        '<label>result <select id=word><option value="">any</option>'
        + ''.join(f'<option>{word}</option>' for word in
                  ('pass', 'fail', 'skip', 'xfail', 'xpass', ABSENT))
        + '</select></label>\n<label><input id=apart type=checkbox> only what differs</label>\n'
        f'<output id=count>{len(cases)} of {len(cases)} cases</output></form>\n'
        '<table>\n<thead><tr><th>case</th>'
        + ''.join(f'<th>{html.escape(head)}</th>' for head in heads)
        + f'</tr>\n<tr><th>all</th>{sums}</tr></thead>\n<tbody>\n'
        + ''.join(body_row(case, [rows for _, rows in made]) for case in cases)
        + f'</tbody>\n</table>\n<script>\n{parts["side_by_side.js"]}</script>\n</body>\n</html>\n')


def summed(rows: Rows) -> str:
    """How many cases had each result."""
    words = [outcome(row) for row in rows.values()]
    return ', '.join(f'{words.count(word)} {word}' for word in dict.fromkeys(sorted(words)))
