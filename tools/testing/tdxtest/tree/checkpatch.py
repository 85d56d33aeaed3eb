# SPDX-License-Identifier: GPL-2.0-only
"""checkpatch.pl --strict, as it comes with the kernel, and the table of excused complaints."""

import concurrent.futures
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence

from tdxtest.base import command, table_file
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.paths import PROJECT, TABLES
from tdxtest.tree.work_tree import content, WorkTree, read

# Types of complaints that do not apply to files outside a git tree.
IGNORED_TYPES = 'FILE_PATH_CHANGES,SPDX_LICENSE_TAG'
COMPLAINT = re.compile(r'(.*?):\d+: (?:CHECK|WARNING|ERROR):(\w+): ')
# Its status if it finds nothing, and if it finds something. It ends with others if it fails.
STATUSES = (0, 1)
# What its answer depends on besides the file and the options, below scripts/.
SCRIPTS = ('checkpatch.pl', 'spelling.txt', 'const_structs.checkpatch')


def excuses() -> list[tuple[str, str]]:
    """[(type, path prefix)] of checkpatch.tsv."""
    rows = table_file.rows(os.path.join(TABLES, 'checkpatch.tsv'))
    return [(kind, prefix) for kind, prefix, _why in rows]


def complaints(work: WorkTree, paths: Sequence[str], used: set[tuple[str, str]],
             signed: bool = False) -> Iterator[str]:
    """Lines that it says of files and patches and that checkpatch.tsv does not excuse.

    used: a set that takes the rows that did excuse something.
    signed: patches must have a Signed-off-by; those of patches/ get it when they are sent.
    """
    rows = excuses()
    memory = Memory(work)

    def said(path: str) -> list[str]:
        options = ['-f'] if not path.endswith('.patch') else [] if signed else ['--no-signoff']
        return memory.ask(options, path)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(said, paths))
        memory.save()
        for path, lines in zip(paths, answers):
            name = path.removeprefix(PROJECT + '/')
            for line in lines:
                match = COMPLAINT.match(line)
                about = match[1].removeprefix(PROJECT + '/') if match else ''
                row = next((r for r in rows if match and match[2] == r[0] and
                            (name.startswith(r[1]) or about.startswith(r[1]))), None)
                if row:
                    used.add(row)
                else:
                    told = line.removeprefix(PROJECT + '/')
                    yield told if told.startswith(f'{name}:') else f'{name}: {told}'


class Memory:
    """What checkpatch.pl said of each file. It is asked again only when something changed.

    An answer belongs to the text of the file, the options, and the scripts and word
    lists of the kernel.
    """

    def __init__(self, work: WorkTree) -> None:
        self._work = work
        self._file = os.path.join(work.folder, 'checkpatch.json')
        self._scripts = hashlib.sha256()
        for name in SCRIPTS:
            self._scripts.update(read(os.path.join(work.tree, 'scripts', name)) or b'')
        self._answers = json.loads(read(self._file) or b'{}')

    def ask(self, options: Sequence[str], path: str) -> list[str]:
        """The lines that checkpatch.pl prints of a file."""
        question = ' '.join([*options, path])
        digest = self._scripts.copy()
        digest.update(content(path))
        known = self._answers.get(question)
        if not known or known['digest'] != digest.hexdigest():
            known = {'digest': digest.hexdigest(), 'lines': self._run(options, path)}
            self._answers[question] = known
        return list(known['lines'])

    def _run(self, options: Sequence[str], path: str) -> list[str]:
        # With --showfile a line of a patch names the file that it changes.
        return command.output(['perl', os.path.join(self._work.tree, 'scripts/checkpatch.pl'),
                               '--strict', '--terse', '--no-summary', '--no-tree', '--show-types',
                               '--showfile', '--ignore', IGNORED_TYPES, *options, path],
                              # It leaves a cache where it runs.
                              cwd=self._work.folder, allowed=STATUSES).splitlines()

    def save(self) -> None:
        """Keep the answers for the next time."""
        write_if_changed(self._file, json.dumps(self._answers, indent=1).encode())
