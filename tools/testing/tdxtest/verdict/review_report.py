# SPDX-License-Identifier: GPL-2.0-only
"""What a review found, for a terminal, for a reply by mail, and as a page."""

import html as escape

from tdxtest.verdict.comparison import Change, Comparison

# In this order; kinds of a change that are not here come last.
KINDS = ('went red', 'vanished', 'was ok, is skipped', 'went green', 'appeared')
STYLE = ('body{font:15px sans-serif;max-width:70em;margin:2em auto;padding:0 1em}'
         'table{border-collapse:collapse;width:100%}'
         'td,th{border:1px solid #bbb;padding:.3em .5em;text-align:left;vertical-align:top}'
         'code{font-size:90%}.red{background:#fdd}.green{background:#dfd}')


def by_kind(found: Comparison) -> list[tuple[str, list[Change]]]:
    """[(kind, [Change])], the worst first."""
    kinds: dict[str, list[Change]] = {}
    for change in found.changes:
        kinds.setdefault(change.kind(), []).append(change)
    return sorted(kinds.items(),
                  key=lambda row: (KINDS.index(row[0]) if row[0] in KINDS else len(KINDS), row[0]))


def head(found: Comparison) -> tuple[str, str]:
    version = f' v{found.series.version}' if found.series.version > 1 else ''
    return (f'{found.series.title}{version}',
            f'{len(found.series.patches)} patch(es) on Linux {found.version}; '
            f'{found.built} built anew')


def hangs(found: Comparison) -> list[str]:
    """The lines that come before all others."""
    lines = [line for one in found.hangs for line in one.lines()]
    return lines + ([f'{found.not_run} case(s) were not run after it'] if found.not_run else [])


def still(found: Comparison) -> list[str]:
    """The base's problems that the series leaves."""
    return [problem for problem in found.red_before if problem not in found.gone]


def text(found: Comparison) -> list[str]:
    """Lines for a terminal."""
    lines = ['', *head(found), *hangs(found)]
    lines += [f'note: {note}' for note in found.notes]
    lines += [f'note: {path} is not built into a kernel' for path in found.ignored]
    lines += [f'already without the series: {problem}' for problem in still(found)]
    lines += [f'gone with the series: {problem}' for problem in found.gone]
    for kind, changes in by_kind(found):
        if changes[0].finding and not changes[0].is_red():
            lines += [f'{kind}: {change.test}:{change.case}' for change in changes]
            continue
        lines.append(f'{kind}:')
        for change in changes:
            lines.append(f'  {change.test}:{change.case}')
            if change.note:
                lines.append(f'    {change.note}')
    lines += [f'with the series: {problem}' for problem in found.problems]
    return lines + [found.verdict()]


def markdown(found: Comparison) -> str:
    """A reply: readable as plain text too."""
    title, what = head(found)
    lines = [f'## {title}', '', f'{what}.', '', f'**{found.verdict()}**', '']
    lines += ['```', *hangs(found), '```', ''] if found.hangs else []
    lines += [f'- with the series: {problem}' for problem in found.problems]
    lines += [''] if found.problems else []
    for kind, changes in by_kind(found):
        lines += [f'### {len(changes)} {kind}', '']
        for change in changes:
            lines.append(f'- `{change.test}:{change.case}`')
            if change.note:
                lines.append(f'  {change.note}')
        lines.append('')
    for title, told in (('Already without the series', still(found)),
                        ('Gone with the series', found.gone)):
        lines += [f'### {title}', '', *(f'- {problem}' for problem in told), ''] if told else []
    lines += ['Patches:', '']
    lines += [f'{number}. {patch.subject}' for number, patch in
              enumerate(found.series.patches, 1)]
    lines += ['', *(f'Note: {note}' for note in found.notes)] if found.notes else []
    lines += [f'\nNot built into a kernel: {", ".join(found.ignored)}'] if found.ignored else []
    return '\n'.join(lines) + '\n'


def html(found: Comparison) -> str:
    """A page that refers to no other file."""
    quote = escape.escape
    title, what = head(found)
    parts = ['<!DOCTYPE html>', '<html lang="en"><head><meta charset="utf-8">',
             f'<title>{quote(title)}</title><style>{STYLE}</style></head><body>',
             f'<h1>{quote(title)}</h1>', f'<p>{quote(what)}.</p>',
             f'<p><b>{quote(found.verdict())}</b></p>']
    if found.hangs:
        parts.append(f'<pre class="red">{quote(chr(10).join(hangs(found)))}</pre>')
    if found.problems or found.red_before:
        parts.append('<ul>')
        parts += [f'<li class="red">with the series: {quote(p)}</li>' for p in found.problems]
        parts += [f'<li>already without the series: {quote(p)}</li>' for p in still(found)]
        parts += [f'<li>gone with the series: {quote(p)}</li>' for p in found.gone]
        parts.append('</ul>')
    if found.changes:
        parts.append('<table><tr><th>what</th><th>case</th><th>wanted and seen</th></tr>')
        for kind, changes in by_kind(found):
            for change in changes:
                colour = 'red' if change.is_red() else 'green' if change.is_green() else ''
                parts.append(f'<tr class="{colour}"><td>{quote(kind)}</td>'
                             f'<td><code>{quote(change.test)}:{quote(change.case)}</code></td>'
                             f'<td>{quote(change.note)}</td></tr>')
        parts.append('</table>')
    parts.append('<h2>Patches</h2><ol>')
    parts += [f'<li>{quote(patch.subject)}</li>' for patch in found.series.patches]
    parts.append('</ol>')
    parts += [f'<p>Note: {quote(note)}</p>' for note in found.notes]
    if found.ignored:
        parts.append(f'<p>Not built into a kernel: {quote(", ".join(found.ignored))}</p>')
    return '\n'.join(parts) + '\n</body></html>\n'
