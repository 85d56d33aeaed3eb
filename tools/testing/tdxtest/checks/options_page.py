# SPDX-License-Identifier: GPL-2.0-only
"""The pages of commands and of options have what the tool and the Makefile have, and no more.

The page of commands has a table of them, and one of make's variables. On the page of
options a paragraph "Commands: ``run`` ``list``" says which commands take the options
below it, each a term such as "``-o DIR``, ``--output DIR``".
"""

import argparse
import re
import typing
from collections.abc import Callable, Iterator

from tdxtest.base import discovery
from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree import project
from tdxtest.verdict import pages

NAME = 'pages of commands and options'
WHEN = When.STATIC
PAGE = 'Documentation/dev-tools/tdxtest.rst'
OPTIONS_PAGE = 'Documentation/dev-tools/tdxtest-options.rst'
COMMANDS = re.compile(r'^Commands: ((?:``\w[\w-]*``\s*)+)$', re.MULTILINE)
TERM = re.compile(r'^(``-.*``)$', re.MULTILINE)
HELP = '-h'
# A variable that the Makefile uses and does not set is the user's; its "option" takes a name.
USED = re.compile(r'\$\((?:call option,|[a-z]+ )?([A-Z_]+)\b')
SET = re.compile(r'^([A-Z_]+) [:+?]?=', re.MULTILINE)
NOT_OURS = ('MAKEFLAGS', 'MAKECMDGOALS', 'MAKEFILE_LIST', 'HOME')


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    made = argparse.ArgumentParser().add_subparsers()
    for module in discovery.modules('commands').values():
        module.add_parser(made)
    return made.choices


def spelled(action: argparse.Action) -> str:
    """An option as the page has it: "``-o DIR``, ``--output DIR``"."""
    value = ''
    if action.nargs != 0:
        name = action.metavar or '{%s}' % ','.join(action.choices or ())
        value = {'?': f' [{name}]', '+': f' {name} [{name} ...]'}.get(str(action.nargs), f' {name}')
    return ', '.join(f'``{option}{value}``' for option in action.option_strings)


def options() -> set[tuple[str, str]]:
    """(command, option as spelled()) of the tool."""
    return {(name, spelled(action)) for name, parser in parsers().items()
            for action in parser._actions       # pylint: disable=protected-access
            if action.option_strings and HELP not in action.option_strings}


def documented(text: str) -> set[tuple[str, str]]:
    """(command, option) of the page of options."""
    found: set[tuple[str, str]] = set()
    marks = list(COMMANDS.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None]):
        part = text[mark.end():following.start() if following else len(text)]
        names = re.findall('``(.+?)``', mark[1])
        found.update((name, term) for term in TERM.findall(part) for name in names)
    return found


def first_cells(text: str, title: str) -> set[str]:
    """The first cells of the table in the section of that title."""
    section = re.split(r'^(.+)\n=+$', text, flags=re.MULTILINE)
    body = section[section.index(title) + 1] if title in section else ''
    rows = (line.text for line in pages.parse('page.rst', body).lines if line.kind == pages.TABLE)
    return {match[1] for row in rows if (match := re.match('``(.+?)``', row))}


def make_targets() -> set[str]:
    return set(re.findall(r'^([a-z-]+):', project.text_of('Makefile'), re.MULTILINE))


def make_variables() -> set[str]:
    """The variables that a person can give to make."""
    text = project.text_of('Makefile')
    return set(USED.findall(text)) - set(SET.findall(text)) - set(NOT_OURS)


def differences(say: Callable[[typing.Any], str], wanted: set[typing.Any], got: set[typing.Any],
                place: str) -> Iterator[str]:
    """What a page lacks, and what it has in excess of place; say: gives the words of a member."""
    for each in sorted(wanted - got):
        yield f'wanted {say(each)}, which {place} has'
    for each in sorted(got - wanted):
        yield f'has {say(each)}, which {place} does not have'


def wrong_commands(text: str) -> Iterator[str]:
    """What is wrong with the tables of a page of commands."""
    yield from differences('command {}'.format, set(parsers()), first_cells(text, 'Commands'),
                           'the tool')
    yield from differences('variable {}'.format, make_variables(),
                           first_cells(text, 'Variables of make'), 'the Makefile')


def wrong_options(text: str) -> Iterator[str]:
    """What is wrong with the entries of a page of options."""
    yield from differences(lambda pair: f'{pair[1]} of {pair[0]}', options(), documented(text),
                           'the tool')


def check(_progress: Progress) -> Iterator[str]:
    for page, wrong in (PAGE, wrong_commands), (OPTIONS_PAGE, wrong_options):
        yield from (f'{page}: {line}' for line in wrong(project.text_of(page)))
