# SPDX-License-Identifier: GPL-2.0-only
"""The tool and the Makefile take the command lines that the documentation shows."""

import argparse
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.checks import options_page
from tdxtest.verdict import pages
from tdxtest.verdict.pages import Page

NAME = 'command lines of pages'
WHEN = When.STATIC
# What the tool takes before a command.
OF_TOOL = ('-h', '--help')
# On these pages "make" is the kernel's, not on those of this tool.
KERNEL_PAGES = 'Documentation/'
TOOL_PAGES = 'Documentation/dev-tools/tdxtest'


def wrong_make(page: Page) -> Iterator[str]:
    """A line for each target or variable that the Makefile does not have."""
    targets, variables = options_page.make_targets(), options_page.make_variables()
    for number, words in command_lines(page):
        if words[0] == 'make':
            for word in words[1:]:
                name, given, _ = word.partition('=')
                if name not in (variables if given else targets):
                    yield f'{page.name}:{number}: {" ".join(words)}: the Makefile has no {name}'


def wrong_tool(page: Page, known: dict[str, argparse.ArgumentParser]) -> Iterator[str]:
    """A line for each command or option that the tool does not have."""
    for number, words in command_lines(page):
        where = f'{page.name}:{number}: {" ".join(words)}'
        tool = next((i for i, word in enumerate(words) if word.endswith('tdxtest.py')), None)
        if tool is None or not words[tool + 1:]:
            continue
        command, *rest = words[tool + 1:]
        if command not in known:
            if not command.isupper() and command not in OF_TOOL:
                yield f'{where}: no command {command}'
            continue
        taken = known[command]._option_string_actions    # pylint: disable=protected-access
        for word in rest:
            # - is standard input.
            if word.startswith('-') and word.partition('=')[0] not in ('-', *taken):
                yield f'{where}: {command} does not take {word}'


def command_lines(page: Page) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) of the code of a page."""
    for number, code in page.code():
        words = code.partition(' #')[0].removeprefix('$ ').replace("'", '').split()
        if words:
            yield number, words


def check(_progress: Progress) -> Iterator[str]:
    known = options_page.parsers()
    for page in pages.load():
        yield from wrong_tool(page, known)
        if not page.name.startswith(KERNEL_PAGES) or page.name.startswith(TOOL_PAGES):
            yield from wrong_make(page)
