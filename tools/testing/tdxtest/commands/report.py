# SPDX-License-Identifier: GPL-2.0-only
"""The command that makes one HTML page of a run. The page refers to no other file."""

import argparse
import html
import os
from collections.abc import Collection, Iterable, Sequence

from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS
from tdxtest.commands.coverage import FORMAT as COVERAGE_FORMAT
from tdxtest.guest.options import EPILOG, Commands, add_place_options
from tdxtest.verdict import ktap, results, side_by_side
from tdxtest.verdict.results import Results

WORDS = {EXIT_PASS: 'pass', EXIT_FAIL: 'fail', EXIT_NOT_RUN: 'fail'}
OUTCOMES = ('pass', 'fail', 'skip', ktap.XFAIL, ktap.XPASS)
SLOWEST = 15
# Keys of coverage.json: a number of things, and how many of them were reached.
COVERED = (('lines', 'lines_run'), ('branches', 'branches_taken'))
BAR_REM = 12


def e(text: object) -> str:
    return html.escape(str(text))


def seconds(value: float | None) -> str:
    return '' if value is None else f'{value:.2f}'


def counts(rows: Sequence[Results]) -> dict[str, int]:
    """{outcome: how many of the rows have it}, in the order of OUTCOMES."""
    found = [results.outcome(row) for row in rows]
    return {word: found.count(word) for word in OUTCOMES}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]],
          numbers: Collection[int] = ()) -> str:
    """An HTML table; `numbers` are the columns that hold some. Cells are HTML."""
    def row(tag: str, cells: Sequence[str]) -> str:
        return '<tr>' + ''.join(f'<{tag}{" class=n" if i in numbers else ""}>{cell}</{tag}>'
                                for i, cell in enumerate(cells)) + '</tr>\n'
    return f'<table>\n{row("th", heads)}{"".join(row("td", cells) for cells in rows)}</table>\n'


def marked(word: str) -> str:
    return f'<span class={word}>{word}</span>'


def name_of(ran: Results) -> str:
    """What tells a run from the others on the page."""
    abi, expected = ran.get('abi', ''), ran.get('expected', '')
    return str(abi) if expected in ('', abi) else f'{abi}, expecting {expected}'


def verdict(ran: Results) -> str:
    about = ', '.join(f'{key}: {e(ran[key])}' for key in ('kernel', 'origin', 'machine', 'abi',
                                                           'expected', 'date') if ran.get(key))
    return (f'<p class="verdict {WORDS.get(ran["status"], "fail")}">{e(ran["summary"])}</p>\n'
            f'<p>{about}</p>\n' + points('problems', ran['problems'])
            + points('notes', ran.get('notes', [])))


def points(name: str, lines: Iterable[str]) -> str:
    """A list of the class `name`, '' without lines."""
    items = ''.join(f'<li><code>{e(line)}</code></li>\n' for line in lines)
    return f'<ul class={name}>\n{items}</ul>\n' if items else ''


def all_rows(ran: Results) -> dict[tuple[str, str], Results]:
    """{(test, case): row} of a run."""
    return {(test['name'], row['name']): row for test in ran['tests']
            for row in results.reported(test)}


def matrix(runs: Sequence[Results]) -> str:
    """What each generation of the ABI makes of each test, and of the cases that tell them apart."""
    rows_of = [all_rows(ran) for ran in runs]
    heads = [e(name_of(ran)) for ran in runs]
    names = list(dict.fromkeys(test['name'] for ran in runs for test in ran['tests']))
    text = table(['test', *heads], [
        [f'<code>{e(name)}</code>',
         *(tally([row for (test, _), row in rows.items() if test == name]) for rows in rows_of)]
        for name in names])
    keys = list(dict.fromkeys(key for rows in rows_of for key in rows))
    apart = []
    for key in keys:
        found = [results.outcome(rows[key]) if key in rows else 'absent' for rows in rows_of]
        if len(set(found)) > 1:
            apart.append([f'<code>{e(key[0])}:{e(key[1])}</code>', *map(marked, found)])
    text += f'<h3>{len(apart)} case(s) that differ</h3>\n'
    return text + (table(['case', *heads], apart) if apart else '')


def tally(rows: Sequence[Results]) -> str:
    """The counts of rows as HTML, those of no row as a blank."""
    return ', '.join(f'<span class={word}>{n} {word}</span>'
                     for word, n in counts(rows).items() if n) or '-'


def tests(ran: Results) -> str:
    """A list of tests, each with its cases folded below it."""
    text = ''
    for test in ran['tests']:
        rows = results.reported(test)
        longest = max((row['seconds'] or 0 for row in rows), default=0) or 1
        cases = table(['case', 'result', 's', '', 'note'], [
            [f'<code>{e(row["name"])}</code>', marked(results.outcome(row)),
             seconds(row['seconds']), bar_of(row['seconds'], longest), e(row['note'])]
            for row in rows], numbers=(2,))
        opened = ' open' if counts(rows)['fail'] else ''
        text += (f'<details{opened}><summary><code>{e(test["name"])}</code> '
                 f'{marked(results.outcome(test))}: {tally(rows)}'
                 + (f', {seconds(test["seconds"])} s' if test['seconds'] is not None else '')
                 + f'</summary>\n{cases}</details>\n')
    return text


def bar_of(value: float | None, longest: float) -> str:
    return f'<span class=bar style="width:{(value or 0) / longest * BAR_REM:.2f}rem"></span>'


def slowest(ran: Results) -> str:
    """The cases that took longest, '' if no time is known."""
    timed = sorted(((row['seconds'], test, name) for (test, name), row in all_rows(ran).items()
                    if row['seconds']), reverse=True)[:SLOWEST]
    if not timed:
        return ''
    return '<h3>Slowest</h3>\n' + table(
        ['case', 's', ''], [[f'<code>{e(test)}:{e(name)}</code>', seconds(took),
                             bar_of(took, timed[0][0])]
                            for took, test, name in timed], numbers=(1,))


def logs(ran: Results) -> str:
    """The kernel logs, folded unless there is a warning in them."""
    text = ''
    for number, log in enumerate(ran['logs'], 1):
        warned = sum(row['warning'] for row in log)
        lines = '\n'.join(f'<span class=warning>{e(row["text"])}</span>' if row['warning'] else
                          e(row['text']) for row in log)
        text += (f'<details{" open" if warned else ""}><summary>guest {number}: {len(log)} lines, '
                 f'<span class={"fail" if warned else "pass"}>{warned} warning(s)</span>'
                 '</summary>\n'
                 f'<pre>{lines}</pre></details>\n')
    return text


def coverage(held: Results) -> str:
    """What the suite reaches of KVM. held: what coverage.json of tdxtest.py coverage holds."""
    rows = [(what, held[done], held[what]) for what, done in COVERED if what in held]
    return (f'<h2>Coverage of hypercall paths, Linux {e(held["kernel"])}</h2>\n'
            + table(['what', 'reached', 'of', '%'],
                    [[what, part, whole, f'{100 * part / whole:.1f}' if whole else '-']
                     for what, part, whole in rows], numbers=(1, 2, 3)))


def page(runs: Sequence[Results], covered: Results | None = None) -> str:
    """The page as text. runs: as results.load() gives them; covered: for coverage()."""
    with open(os.path.join(os.path.dirname(__file__), 'report.css'), encoding='utf-8') as f:
        style = f.read()
    failed = [ran for ran in runs if ran['status'] != EXIT_PASS]
    title = f'tdxtest: {"FAIL" if failed else "PASS"}, Linux {runs[0].get("kernel", "?")}'
    body = ''.join((f'<h2>{e(name_of(ran))}</h2>\n' if len(runs) > 1 else '') + verdict(ran)
                   for ran in runs)
    if len(runs) > 1:
        body += '<h2>Generations of the MapGPA ABI</h2>\n'
        body += '<div id=matrix>' + matrix(runs) + '</div>\n'
    if covered:
        body += coverage(covered)
    for ran in runs:
        of = f', {e(name_of(ran))}' if len(runs) > 1 else ''
        body += (f'<h2>Tests{of}</h2>\n{tests(ran)}{slowest(ran)}'
                 f'<h2>Kernel log{of}</h2>\n{logs(ran)}')
    return ('<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{e(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n'
            f'<h1>{e(title)}</h1>\n{body}</body>\n</html>\n')


def run(args: argparse.Namespace) -> int:
    files = args.results or [os.path.join(args.build, results.LAST)]
    runs = [found for path in files for found in results.load(path)]
    if args.side_by_side:
        results.write(args.output, side_by_side.page(runs))
        return EXIT_PASS
    covered = None
    path = args.coverage or os.path.join(args.build, 'coverage', 'coverage.json')
    if args.coverage or os.path.exists(path):
        covered = results.load_tagged(path, COVERAGE_FORMAT, 'tdxtest.py coverage')
    results.write(args.output, page(runs, covered))
    return EXIT_PASS


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('report', help='an HTML page of a run', epilog=EPILOG)
    add_place_options(parser)
    parser.add_argument('-o', '--output', required=True, metavar='FILE',
                        help='where to write it, - for standard output')
    parser.add_argument('--coverage', default='', metavar='FILE',
                        help='coverage.json of tdxtest.py coverage '
                             '(default: that of the last one, if there was one)')
    parser.add_argument('--side-by-side', action='store_true',
                        help='a row for each case, a column for each run, and a filter')
    parser.add_argument('results', nargs='*', metavar='RESULTS.json',
                        help='what --json wrote (default: those of the last run)')
    return parser
