# SPDX-License-Identifier: GPL-2.0-only
"""The links of the documentation lead somewhere, and the files that it names exist."""

import fnmatch
import os
import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.base.progress import Progress
from tdxtest.tree import project, series
from tdxtest.verdict import pages
from tdxtest.verdict.pages import Page

NAME = 'links and paths of pages'
WHEN = When.STATIC
MD_LINK = re.compile(r'\[[^]]+\]\(([^)\s]+)\)')
RST_DOC = re.compile(r':doc:`([^`]+)`')
# A word of code that names a file or folder.
FILE = re.compile(r'(?:[\w.*-]+/)*[\w.*-]*\w\.'
                  r'(?:py|c|h|S|def|rst|tsv|list|rules|config|sh|patch|ya?ml)$')
FOLDER = re.compile(r'(?:[\w.-]+/)+$')
PATH = re.compile(r'(?:arch|tools|Documentation|patches|mutants)/[\w./*-]+$')
# Files of the kernel that a page names and no patch changes.
KERNEL_FILES = ('arch/x86/virt/vmx/tdx/seamcall.S',)
# Folders that a build or a run makes, what a tarball has, the sides of a diff.
NOT_OURS = ('build/', 'package/', 'logs/', 'kernels/', 'run/', './', 'a/', 'b/')
PLACEHOLDER = re.compile('[A-Z]{3}')


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in a link, as GitHub does it."""
    rows = text.splitlines()
    titles = [row.lstrip('#') for row in rows if re.match('#+ ', row)]
    titles += [row for row, below in zip(rows, rows[1:])
               if row and re.fullmatch(r'([=~-])\1*', below) and len(below) >= len(row)]
    return {re.sub(r'[^\w -]', '', title.strip().lower()).replace(' ', '-') for title in titles}


def wrong_links(page: Page) -> Iterator[str]:
    """A line for each link of a page to a file or heading that does not exist."""
    # A link may go on in the next line.
    text = '\n'.join('' if line.kind == pages.CODE else line.text for line in page.lines)
    pattern, suffix = (RST_DOC, '.rst') if page.suffix() == '.rst' else (MD_LINK, '')
    for match in pattern.finditer(text):
        link = match[1] + suffix
        if '://' in link:
            continue
        where = f'{page.name}:{pages.line_of(text, match.start())}: link to {link}'
        target, _, heading = link.partition('#')
        name = os.path.normpath(os.path.join(os.path.dirname(page.name), target)
                                if target else page.name)
        if not os.path.exists(os.path.join(PROJECT, name)):
            yield f'{where}: no such file'
        elif heading and heading not in anchors(project.text_of(name)):
            yield f'{where}: no such heading'


def known_files() -> set[str]:
    """The project's files and folders, and the kernel's files that patches change."""
    names = project.files()
    known = {*names, *KERNEL_FILES}
    for name in names:
        if name.endswith('.patch'):
            known.update(series.touched(project.text_of(name)))
    for name in list(known):
        while name := os.path.dirname(name):
            known.add(name)
    return known


def wrong_names(page: Page, known: set[str]) -> Iterator[str]:
    """A line for each file or folder in the code of a page that does not exist."""
    for number, code in page.code():
        for word in code.split():
            word = word.strip('"\',;:()')
            if (not (FILE.match(word) or FOLDER.match(word) or PATH.match(word)) or
                    word.startswith(NOT_OURS) or PLACEHOLDER.search(word)):
                continue
            name = word.rstrip('/')
            if not (fnmatch.filter(known, name) or fnmatch.filter(known, f'*/{name}')):
                yield f'{page.name}:{number}: {word}: no such file'


def check(_progress: Progress) -> Iterator[str]:
    known = known_files()
    for page in pages.load():
        yield from wrong_links(page)
        yield from wrong_names(page, known)
