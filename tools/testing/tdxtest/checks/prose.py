# SPDX-License-Identifier: GPL-2.0-only
"""Pages have no wide lines and no figures that rot; no file has a phrase that is hard to read."""

import os
import re
from collections.abc import Iterator

from tdxtest.base import table_file
from tdxtest.base.checking import When
from tdxtest.base.paths import TABLES
from tdxtest.base.progress import Progress
from tdxtest.tree import project
from tdxtest.verdict import pages
from tdxtest.verdict.pages import Page

NAME = 'prose'
WHEN = When.STATIC
PHRASES = os.path.join(TABLES, 'phrases.tsv')
MAX_WIDTH = 90
# The one page with figures that change with the suite or the machine; bench writes it.
FIGURES_PAGE = 'Documentation/dev-tools/tdxtest-figures.rst'
FIGURE = re.compile(r'\b\d[\d,.]* (?:cases|tests|mutants|checks)\b')
# Texts of others, transcripts, and the phrases themselves.
NOT_READ = ('LICENSE', 'tools/testing/tdxtest/tests/test_data/',
            'tools/testing/tdxtest/tables/phrases.tsv',
            'tools/testing/tdxtest/tests/checks/prose_test.py')
# A patch has code of the kernel from here on.
DIFF = '\ndiff --git '
# Between the words of a phrase: a line may end there, also in a comment of C or Python.
GAP = r'[\s*#/]+'


def load_phrases() -> list[tuple[re.Pattern[str], str]]:
    """[(pattern, what to write instead)] of tables/phrases.tsv."""
    return [(re.compile(pattern.replace(' ', GAP), re.IGNORECASE), instead)
            for pattern, instead in table_file.rows(PHRASES)]


def wrong_phrases(name: str, text: str,
                  phrases: list[tuple[re.Pattern[str], str]]) -> Iterator[str]:
    """A line for each phrase that makes a sentence hard to read."""
    for pattern, instead in phrases:
        for match in pattern.finditer(text):
            found = re.sub(GAP, ' ', match[0])
            yield f'{name}:{pages.line_of(text, match.start())}: "{found}": write {instead}'


def wrong_layout(page: Page) -> Iterator[str]:
    """A line for each line of text that is too wide or has a figure of one machine."""
    for line in page.lines:
        where = f'{page.name}:{line.number}'
        if line.kind == pages.TEXT and len(line.text) > MAX_WIDTH and 'http' not in line.text:
            yield f'{where}: {len(line.text)} columns, wanted at most {MAX_WIDTH}'
        if (line.kind != pages.CODE and page.name != FIGURES_PAGE and
                (match := FIGURE.search(line.text))):
            yield f'{where}: "{match[0]}": wanted this on {FIGURES_PAGE} only'


def check(_progress: Progress) -> Iterator[str]:
    for page in pages.load():
        yield from wrong_layout(page)
    phrases = load_phrases()
    for name in project.files():
        if not name.startswith(NOT_READ):
            text, _, _ = project.text_of(name).partition(DIFF)
            yield from wrong_phrases(name, text, phrases)
