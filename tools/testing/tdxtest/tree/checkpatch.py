# SPDX-License-Identifier: GPL-2.0-only
"""checkpatch.pl --strict, as it comes with the kernel, and what it is excused for."""

import concurrent.futures
import os
import re

from tdxtest.base import command
from tdxtest.base.paths import PROJECT, TABLES

# What it says of files outside a git tree and is no fault of theirs.
IGNORED_TYPES = 'FILE_PATH_CHANGES,SPDX_LICENSE_TAG'
FINDING = re.compile(r'(.*?):\d+: (?:CHECK|WARNING|ERROR):(\w+): ')


def excuses():
    """[(type, path prefix)] of checkpatch.tsv."""
    with open(os.path.join(TABLES, 'checkpatch.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f
                if line.strip() and not line.startswith('#')]
    return [(kind, prefix) for kind, prefix, _why in rows]


def findings(work, paths, used, signed=False):
    """Lines that it says of files and patches and that checkpatch.tsv does not excuse.

    used: a set that takes the rows that did excuse something.
    signed: patches are to be signed off; those of patches/ are when they are sent.
    """
    script = os.path.join(work.tree, 'scripts/checkpatch.pl')
    rows = excuses()

    def said(path):
        options = ['-f'] if not path.endswith('.patch') else [] if signed else ['--no-signoff']
        # With --showfile a line of a patch names the file that it changes.
        return command.output(['perl', script, '--strict', '--terse', '--no-summary', '--no-tree',
                               '--show-types', '--showfile', '--ignore', IGNORED_TYPES,
                               *options, path],
                              # It leaves a cache where it runs.
                              cwd=work.folder, check=False).splitlines()

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, lines in zip(paths, pool.map(said, paths)):
            name = path.removeprefix(PROJECT + '/')
            for line in lines:
                match = FINDING.match(line)
                about = match[1].removeprefix(PROJECT + '/') if match else ''
                row = next((r for r in rows if match and match[2] == r[0] and
                            (name.startswith(r[1]) or about.startswith(r[1]))), None)
                if row:
                    used.add(row)
                else:
                    said = line.removeprefix(PROJECT + '/')
                    yield said if said.startswith(f'{name}:') else f'{name}: {said}'
