# SPDX-License-Identifier: GPL-2.0-only
"""Boots with the kernel's KUnit tests on, and judges them with KUnit's own parser."""

import importlib
import io
import os
import sys

from tdxtest.base.failure import Failure
from tdxtest.base.paths import TEST_DATA
from tdxtest.guest import boot

PARSER_FOLDER = 'tools/testing/kunit'
# The kernel runs them at the end of its own start, and restarts before init.
PARAMETERS = 'kunit.enable=1 kunit.autorun=1 kunit_shutdown=reboot'
# A vCPU that is with one CPU is not for another to enter.
CPUS = 2


def parser_of(tree):
    """(kunit_parser, kunit_printer) of a kernel's tree."""
    folder = os.path.join(tree, PARSER_FOLDER)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module('kunit_parser'), importlib.import_module('kunit_printer')
    except ImportError as e:
        raise Failure(f'{folder}: {e}') from e


def leaves(test, above=()):
    """(name, Test) of each case below a kunit_parser.Test: "suite.case" or "suite.case.parameter"."""
    path = (*above, test.name) if test.name and test.name != 'main' else above
    if not test.subtests:
        yield '.'.join(path) or 'no suite', test
    for sub in test.subtests:
        yield from leaves(sub, path)


def problems(modules, lines):
    """(lines that are wrong, line that sums up, text) of a kernel log with KUnit's results."""
    parser, printer = modules
    text = io.StringIO()
    test = parser.parse_run_tests(lines, printer.Printer(output=text))
    wrong = [f'KUnit: {name}: {leaf.status.name.lower()}' for name, leaf in leaves(test)
             if leaf.status != parser.TestStatus.SUCCESS]
    if not wrong and (not test.ok_status() or test.counts.errors):
        wrong.append(f'KUnit: {test.status.name.lower()}, {test.counts.errors} error(s)')
    return wrong, f'KUnit: {test.counts}', text.getvalue()


# What the parser must make of saved logs: (file of test_data/kunit/, what is wrong).
VERDICTS = (
    ('pass.log', ()),
    ('fail.log', ('tdx_sim.lock_modes: failure',)),
    # A case that did not run has shown nothing.
    ('skip.log', ('tdx_sim.lock_modes: skipped', 'tdx_sim.leaf_dispatch: skipped',
                        'tdx_sim_sept.mrtd_of_a_page: skipped')),
    ('crash.log', ('tdx_sim: test_crashed', 'no suite: test_crashed')),
    ('none.log', ('<missing>: failure_to_parse_tests',)),
)


def check_verdicts(work):
    """The parser of the kernel's tree gives the verdicts that it must on saved logs."""
    for name, wanted in VERDICTS:
        with open(os.path.join(TEST_DATA, 'kunit', name), encoding='utf-8') as log:
            wrong, _, _ = problems(parser_of(work.tree), log)
        got = [line.removeprefix('KUnit: ') for line in wrong]
        if got != list(wanted):
            yield f'test_data/kunit/{name}: wanted {list(wanted)}, got {got}'


def boot_tests(session):
    """Boot the built kernel for its tests; gives the lines that are wrong, the sum and the text."""
    installation = session.machine.prepare(session.build)
    folder = session.build.folder('run', session.work.source.name, 'kunit')
    image = session.boot_image(folder, [], parameters=PARAMETERS)
    guest = session.guest(folder)
    boot.run_step(session.progress, 'kunit', f'KUnit tests, {CPUS} CPUs', [guest], [image],
                  installation, CPUS, lambda line: None)
    guest.check_machine()
    with open(guest.console_path, encoding='utf-8', errors='replace') as log:
        wrong, summary, text = problems(parser_of(session.work.tree), log)
    wrong += [f'KUnit: the kernel warned: {line}' for line in guest.console.warnings]
    if guest.ended or guest.console.panic:
        wrong.append(f'KUnit: {guest.console.panic or guest.ended}')
    return wrong, summary, text


def check(session):
    """The tests pass, all of them; a check of check.py."""
    wrong, summary, text = boot_tests(session)
    session.progress.line(summary)
    yield from text.splitlines() if wrong else ()
    yield from wrong
