# SPDX-License-Identifier: GPL-2.0-only
"""Compares ktap.py with the KTAP parser that comes with the kernel, kunit_parser.py.

ktap.py and judging.py read and judge the consoles of several guests, and how each guest
ended. KUnit's parser judges one document. They must find every fault that KUnit's parser
finds, and in a run that passed both must have seen the same results.
"""

import io
import os
from collections.abc import Iterable, Iterator

from tdxtest.base.failure import EXIT_PASS
from tdxtest.verdict import judging, ktap, kunit


def by_kunit(modules: kunit.KUnitModules, lines: Iterable[str]) -> tuple[bool, dict[str, str]]:
    """(it passed, {name: outcome}) of a console, as KUnit's parser has it."""
    parser, printer = modules
    test = parser.parse_run_tests(lines, printer.Printer(output=io.StringIO()))
    words = {parser.TestStatus.SUCCESS: 'pass', parser.TestStatus.SKIPPED: 'skip'}
    return test.ok_status(), {name: words.get(leaf.status, 'fail')
                              for name, leaf in kunit.leaves(test)}


def by_ktap(console: ktap.Console) -> dict[str, str]:
    """{name: outcome} of a console, as ktap.py has it."""
    results = {}
    for test in console.tests:
        name = test.result.name
        for case, full in [(c, f'{name}.{c.name}') for c in test.cases] or [(test.result, name)]:
            results[full] = 'fail' if not case.ok else 'skip' if case.skip else 'pass'
    return results


def read(path: str) -> tuple[ktap.Console, list[str]]:
    console = ktap.Console()
    with open(path, encoding='utf-8', errors='replace') as f:
        lines = f.read().splitlines()
    for line in lines:
        console.feed(line)
    return console, lines


def compare(modules: kunit.KUnitModules, path: str, stricter: bool = False) -> Iterator[str]:
    """A line for each thing that the two see differently in a saved console."""
    console, lines = read(path)
    mine = judging.judge(console, '' if console.powered_off else 'the log ends').status == EXIT_PASS
    theirs, results = by_kunit(modules, lines)
    name = os.path.basename(path)
    if mine and not theirs:
        yield f'{name}: passes, but not for kunit_parser.py'
    if (theirs and not mine) != stricter:
        yield (f'{name}: kunit_parser.py says {"pass" if theirs else "fail"}, wanted it to miss '
               f'what is wrong: {stricter}')
    if mine:
        own = by_ktap(console)
        for key in sorted(set(own) | set(results)):
            if own.get(key) != results.get(key):
                yield (f'{name}: {key}: {own.get(key, "absent")}, '
                       f'by kunit_parser.py {results.get(key, "absent")}')
