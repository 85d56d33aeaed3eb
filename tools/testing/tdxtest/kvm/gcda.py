# SPDX-License-Identifier: GPL-2.0-only
"""The counters of an instrumented module: from the console to lines and branches.

The guest's init prints the kernel's .gcda files as comments (guest_src/collect.h);
gcov joins each with the .gcno file that the compiler left; counters of several
guests are added up here.
"""

import base64
import binascii
import collections
import dataclasses
import json
import os
import re
import typing
import zlib
from collections.abc import Iterable, Mapping

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure

COLLECT = re.compile(r'# collect: (begin|data|end) (\S+)(?: (\S+))?')


def collected(lines: Iterable[str]) -> dict[str, bytes]:
    """{path in the guest: bytes} of the files that a console holds."""
    files: dict[str, bytes] = {}
    path = None
    size = 0
    data: list[str] = []
    for line in lines:
        match = COLLECT.match(line.rstrip('\r\n'))
        if not match:
            continue
        kind, value, name = match.groups()
        if kind == 'begin':
            path, size, data = name, int(value), []
        elif path is None:
            raise Failure(f'the console has "{kind}" of a file that did not begin')
        elif kind == 'data':
            data.append(value)
        else:
            files[path] = decoded(path, size, data, value)
            path = None
    if path is not None:
        raise Failure(f'the console ends within {path}')
    return files


def decoded(path: str, size: int, data: Iterable[str], crc: str) -> bytes:
    try:
        content = b''.join(base64.b64decode(chunk, validate=True) for chunk in data)
    except binascii.Error as e:
        raise Failure(f'{path} came damaged: {e}') from e
    if len(content) != size or zlib.crc32(content) != int(crc, 16):
        raise Failure(f'{path} came damaged: wanted {size} bytes with CRC {crc}, '
                      f'got {len(content)} with {zlib.crc32(content):08x}')
    return content


@dataclasses.dataclass
class Line:
    """A line of a source that has code. branches: counts, in gcov's order."""

    function: str
    count: int = 0
    branches: list[int] = dataclasses.field(default_factory=list)


class Counters:
    """What was executed how often, of all files and guests together."""

    def __init__(self) -> None:
        # {source file: {line number: {function: Line}}}: an inline function of a
        # header has a copy in each function that it went into.
        self.files: dict[str, dict[tuple[int, str], Line]] = collections.defaultdict(dict)
        # {(source file, function): [first line, last line, calls]}
        self.functions: dict[tuple[str, str], list[int]] = {}

    def add(self, document: Mapping[str, typing.Any]) -> None:
        """Add what gcov --json-format says of one .gcda file."""
        for file in document['files']:
            name = file['file']
            for row in file['functions']:
                entry = self.functions.setdefault(
                    (name, row['name']), [row['start_line'], row['end_line'], 0])
                entry[2] += row['execution_count']
            for row in file['lines']:
                line = self.files[name].setdefault(
                    (row['line_number'], row.get('function_name', '')),
                    Line(row.get('function_name', '')))
                line.count += row['count']
                counts = [branch['count'] for branch in row['branches']]
                if len(line.branches) != len(counts):
                    line.branches = line.branches or [0] * len(counts)
                line.branches = [a + b for a, b in zip(line.branches, counts)]

    def lines_of(self, source: str, function: str) -> dict[int, Line]:
        """{line number: Line} of a function that is defined in `source`."""
        key = next((k for k in self.functions
                    if k[1] == function and k[0].endswith(source)), None)
        if key is None:
            return {}
        first, last, _ = self.functions[key]
        # Also those of what was inlined there and lies in the same lines.
        return {number: line for (number, _), line in sorted(self.files[key[0]].items())
                if first <= number <= last}

    def tracefile(self) -> str:
        """The text of an lcov tracefile."""
        out = []
        for name in sorted(self.files):
            out += ['TN:tdxtest', f'SF:{name}']
            functions = sorted((span, function, calls) for (file, function), (*span, calls)
                               in self.functions.items() if file == name)
            out += [f'FN:{span[0]},{function}' for span, function, _ in functions]
            out += [f'FNDA:{calls},{function}' for _, function, calls in functions]
            merged: dict[int, Line] = {}
            for (number, _), line in self.files[name].items():
                whole = merged.setdefault(number, Line(''))
                whole.count = max(whole.count, line.count)
                whole.branches += line.branches
            for number, line in sorted(merged.items()):
                out += [f'BRDA:{number},0,{index},{taken if line.count else "-"}'
                        for index, taken in enumerate(line.branches)]
                out.append(f'DA:{number},{line.count}')
            out.append('end_of_record')
        return '\n'.join(out) + '\n'


def gcov(folder: str, gcda: str, log: str) -> typing.Any:
    """What gcov says of a .gcda file that lies beside its .gcno file, parsed."""
    target = os.path.join(folder, 'gcov.json')
    command.run(['gcov', '--json-format', '--stdout', '--branch-counts',
                 '--branch-probabilities', gcda], log, cwd=folder, stdout=target)
    with open(target, encoding='utf-8') as f:
        return json.load(f)


def read(guests: Iterable[Iterable[str]], notes: Mapping[str, str], folder: str,
         log: str) -> Counters:
    """The Counters of guests.

    guests: [console lines]; notes: {base name of a .gcda file: its .gcno file}.
    """
    counters = Counters()
    for number, lines in enumerate(guests, 1):
        files = {os.path.basename(path): data for path, data in collected(lines).items()}
        missing = set(notes) - set(files)
        if missing:
            raise Failure(f'guest {number} gave no {", ".join(sorted(missing))}')
        for name, gcno in notes.items():
            place = os.path.join(folder, str(number))
            with open(gcno, 'rb') as f:
                write_if_changed(os.path.join(place, os.path.basename(gcno)), f.read())
            write_if_changed(os.path.join(place, name), files[name])
            counters.add(gcov(place, name, log))
    return counters
