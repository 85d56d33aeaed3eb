# SPDX-License-Identifier: GPL-2.0-only
"""docutils, which Sphinx is made of, reads each page of reStructuredText without a warning."""

import os
import re
import subprocess
from collections.abc import Iterator

from tdxtest.base import apt, command
from tdxtest.base.checking import When
from tdxtest.base.paths import PROJECT
from tdxtest.tree import project
from tdxtest.tree.work_tree import WorkTree

NAME = 'rendering of pages'
# It installs a package, which takes a build folder.
WHEN = When.TREE
# Debian's modules belong to Debian's Python, whichever is first in PATH.
DOCUTILS = ('/usr/bin/python3', '-m', 'docutils', '--writer=null', '--report=warning',
            '--exit-status=5', '--halt=5')
COMPLAINT = re.compile(r'.*?:(\d+): \((?:WARNING|ERROR|SEVERE)/\d\) (.*)')
# A role of Sphinx. checks/page_links.py follows it.
SPHINX = 'Unknown interpreted text role "doc".'


def complaints(name: str, said: str) -> Iterator[str]:
    """Lines that are wrong with the page of that name, of what docutils said of it."""
    for line in said.splitlines():
        match = COMPLAINT.match(line)
        if match and match[2] != SPHINX:
            yield f'{name}:{match[1]}: {match[2]}'


def check(work: WorkTree) -> Iterator[str]:
    apt.ensure_installed(work.build.progress, work.build.log('apt'), 'check')
    for name in project.files():
        if name.endswith('.rst'):
            done = subprocess.run([*DOCUTILS, os.path.join(PROJECT, name)], text=True, check=False,
                                  env=command.environment(), stdin=subprocess.DEVNULL,
                                  capture_output=True, errors='replace')
            if done.returncode:
                yield f'{name}: docutils: {command.telling(done.stderr)}'
            yield from complaints(name, done.stderr)
