# SPDX-License-Identifier: GPL-2.0-only
"""The findings, their fixes, and the cases that are expected to fail belong together."""

import fnmatch
import os
import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.base.progress import Progress
from tdxtest.tree import project, series, td_tests
from tdxtest.verdict import findings

NAME = 'findings'
WHEN = When.STATIC
TESTS = 'tools/testing/selftests/kvm/x86/'
MAILS = 'findings/mail/'
# The marks of include/x86/tdx/tdx_finding.h.
MARK = re.compile(r'^TDX_FINDING\((\d+), "([\w.]+)"\);$', re.MULTILINE)


def marks_of(texts: dict[str, str]) -> dict[str, int]:
    """{TEST:CASE: number} of the marks in the sources of tests, {name: text}."""
    return {f'{name}:{case}': int(number) for name, text in texts.items()
            for number, case in MARK.findall(text)}


def wrong_cases(found: tuple[findings.Finding, ...], marks: dict[str, int]) -> Iterator[str]:
    """A line for each case that only a finding or only a mark has."""
    left = dict(marks)
    for finding in found:
        where = f'findings/{finding.file}'
        for pattern in finding.cases:
            cases = [case for case, number in marks.items()
                     if number == finding.number and fnmatch.fnmatchcase(case, pattern)]
            if not cases:
                yield f'{where}: {pattern}: no case has the mark of finding {finding.number}'
            for case in cases:
                left.pop(case, None)
    for case, number in left.items():
        yield f'{case}: has the mark of finding {number}, which does not name it'


def wrong_fixes(found: tuple[findings.Finding, ...], files: list[str]) -> Iterator[str]:
    """A line for each fix without a finding, and for each finding without its fix."""
    for finding in found:
        if finding.has_fix() and (finding.fix not in files or
                                  not finding.fix.startswith(f'fixes/{finding.number:04}-')):
            yield (f'findings/{finding.file}: wanted a fix of patches/series with its number, '
                   f'got {finding.fix}')
    fixed = {finding.number for finding in found if finding.has_fix()}
    yield from (f'findings/{finding.file}: needs the fix of finding {number}, which has none'
                for finding in found for number in finding.needs if number not in fixed)
    fixes = {finding.fix for finding in found}
    yield from (f'patches/{file}: no finding has this fix' for file in files
                if file not in fixes)


def parts_of(text: str) -> tuple[str, str]:
    """(changelog, changes) of a patch as git format-patch writes it."""
    _, _, body = text.partition('\n\n')
    return body.partition('\n---\n')[0], body.partition('\ndiff --git ')[2]


def wrong_mails(mails: dict[str, str], fixes: dict[str, str]) -> Iterator[str]:
    """A line for each mail without the patch of a fix; both are {name: text}."""
    patches = [parts_of(text) for text in fixes.values()]
    yield from (f'{name}: wanted the changelog and the changes of a file of patches/fixes/'
                for name, text in mails.items() if parts_of(text) not in patches)


def marks_in_tree() -> dict[str, int]:
    """marks_of() of all tests of the suite."""
    names = [name for name in project.files()
             if name.startswith(TESTS) and name.endswith('.c')]
    return marks_of({os.path.basename(name)[:-2]: project.text_of(name) for name in names})


def check(_progress: Progress) -> Iterator[str]:
    found = findings.load()
    yield from wrong_cases(found, {**marks_in_tree(), **td_tests.marks()})
    rows = series.load(os.path.join(PROJECT, 'patches'))
    files = [row.file for row in rows if row.kind == 'fix']
    yield from wrong_fixes(found, files)
    mails = {name: project.text_of(name) for name in project.files() if name.startswith(MAILS)}
    yield from wrong_mails(mails, {file: project.text_of(f'patches/{file}') for file in files})
