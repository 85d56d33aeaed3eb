# SPDX-License-Identifier: GPL-2.0-only
"""findings/: the bugs of KVM that the suite found, a page for each.

A page has a number and a title, fields that this reads, and sections for people. The
fields are Kernels, Severity, Fix and Upstream, and for a bug that a case shows also
Cases, TEST:PATTERN of the cases that fail because of it, Warns, texts of the warnings
of the kernel that they cause, Leaks, texts of those that come when KVM is unloaded
after them, and Needs, numbers of the findings with whose fixes alone the cases run.
"""

import dataclasses
import functools
import os
import re
from collections.abc import Collection

from tdxtest.base.failure import Failure
from tdxtest.base.paths import FINDINGS

NAME = re.compile(r'(\d{4})-[a-z0-9-]+\.rst')
TITLE = re.compile(r'(\d+): (.+)\n=+\n')
FIELD = re.compile(r'^:(\w+): (.*(?:\n {4}.*)*)$', re.MULTILINE)
WANTED = ('Kernels', 'Severity', 'Fix', 'Upstream')
OPTIONAL = ('Cases', 'Warns', 'Leaks', 'Needs')
SECTIONS = ('What happens', 'What should happen')
# In place of a patch, before the reason.
NO_FIX = 'none: '


@dataclasses.dataclass(frozen=True)
class Finding:
    """A page. fix: a file of patches/, or NO_FIX and why there is none."""

    number: int
    title: str
    kernels: str
    severity: str
    cases: tuple[str, ...]
    warns: tuple[str, ...]
    leaks: tuple[str, ...]
    needs: tuple[int, ...]
    fix: str
    upstream: str
    file: str       # in findings/
    text: str

    def has_fix(self) -> bool:
        return not self.fix.startswith(NO_FIX)

    def tests(self) -> list[str]:
        """The tests that have cases of it, each once."""
        return list(dict.fromkeys(case.partition(':')[0] for case in self.cases))


def parse(file: str, text: str) -> Finding:
    """The Finding of a page's text. Failure says what is wrong with it."""
    where = f'findings/{file}'
    name, title = NAME.fullmatch(file), TITLE.search(text)
    if not name:
        raise Failure(f'{where}: wanted a name such as 0007-a-few-words.rst')
    if not title or int(title[1]) != int(name[1]):
        raise Failure(f'{where}: wanted the title "{int(name[1])}: ..." with a line below it')
    fields = {match[1]: ' '.join(match[2].split()) for match in FIELD.finditer(text)}
    for field in WANTED:
        if not fields.get(field):
            raise Failure(f'{where}: wanted the field :{field}:')
    for field in fields:
        if field not in WANTED + OPTIONAL:
            raise Failure(f'{where}: wanted no field :{field}:')
    for section in SECTIONS:
        if f'\n{section}\n{"-" * len(section)}\n' not in text:
            raise Failure(f'{where}: wanted the section "{section}"')
    texts = {field: tuple(re.findall('``(.+?)``', fields.get(field, '')))
             for field in ('Warns', 'Leaks')}
    return Finding(int(title[1]), title[2], fields['Kernels'], fields['Severity'],
                   tuple(fields.get('Cases', '').split()), texts['Warns'], texts['Leaks'],
                   tuple(map(int, fields.get('Needs', '').split())), fields['Fix'],
                   fields['Upstream'], file, text)


@functools.cache
def load() -> tuple[Finding, ...]:
    """All findings, by number."""
    files = sorted(name for name in os.listdir(FINDINGS) if name.endswith('.rst'))
    found = []
    for file in files:
        with open(os.path.join(FINDINGS, file), encoding='utf-8') as f:
            found.append(parse(file, f.read()))
    return tuple(found)


def expected_warnings(findings: tuple[Finding, ...] | None = None) -> list[tuple[int, str]]:
    """[(number, text)]: in a case of the finding, a line of the kernel with the text may come."""
    return [(finding.number, text) for finding in (load() if findings is None else findings)
            for text in finding.warns]


def expected_leaks(tests: Collection[str],
                   findings: tuple[Finding, ...] | None = None) -> list[str]:
    """Texts of the warnings that are expected when KVM is unloaded after tests."""
    return [text for finding in (load() if findings is None else findings)
            if set(tests) & set(finding.tests()) for text in finding.leaks]
