# SPDX-License-Identifier: GPL-2.0-only
"""Judges a kernel log with results of KUnit by KUnit's own parser."""

import importlib
import io
import os
import sys
import types
import typing
from collections.abc import Iterable, Iterator

from tdxtest.base.failure import Failure

PARSER_FOLDER = 'tools/testing/kunit'
# kunit_parser and kunit_printer.
KUnitModules = tuple[types.ModuleType, types.ModuleType]


def parser_of(tree: str) -> KUnitModules:
    """(kunit_parser, kunit_printer) of a kernel's tree."""
    folder = os.path.join(tree, PARSER_FOLDER)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module('kunit_parser'), importlib.import_module('kunit_printer')
    except ImportError as e:
        raise Failure(f'{folder}: {e}') from e


def leaves(test: typing.Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, typing.Any]]:
    """(name, Test) of each case below a kunit_parser.Test.

    The name is "suite.case", or "suite.case.parameter".
    """
    path = (*above, test.name) if test.name and test.name != 'main' else above
    if not test.subtests:
        yield '.'.join(path) or 'no suite', test
    for sub in test.subtests:
        yield from leaves(sub, path)


def problems(modules: KUnitModules, lines: Iterable[str]) -> tuple[list[str], str, str]:
    """(lines that are wrong, line that sums up, text) of a kernel log with KUnit's results."""
    parser, printer = modules
    text = io.StringIO()
    test = parser.parse_run_tests(lines, printer.Printer(output=text))
    wrong = [f'KUnit: {name}: {leaf.status.name.lower()}' for name, leaf in leaves(test)
             if leaf.status != parser.TestStatus.SUCCESS]
    if not wrong and (not test.ok_status() or test.counts.errors):
        wrong.append(f'KUnit: {test.status.name.lower()}, {test.counts.errors} error(s)')
    return wrong, f'KUnit: {test.counts}', text.getvalue()
