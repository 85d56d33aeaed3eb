# SPDX-License-Identifier: GPL-2.0-only
"""The command that runs the KUnit tests alone."""

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.guest import boot, stages
from tdxtest.guest.options import EPILOG, add_boot_options, add_build_options
from tdxtest.verdict.kunit import parser_of, problems

# The kernel runs them at the end of its own start, and restarts before init.
PARAMETERS = 'kunit.enable=1 kunit.autorun=1 kunit_shutdown=reboot'
# A vCPU that is with one CPU is not for another to enter.
CPUS = 2


def add_parser(commands):
    parser = commands.add_parser('kunit', help='the KUnit tests of the simulated TDX module',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    return parser


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


def run(args):
    session = stages.Session(args)
    session.prepare(with_suite=False)
    wrong, summary, text = boot_tests(session)
    for line in (text.rstrip(), *wrong, summary):
        session.progress.line(line)
    return EXIT_FAIL if wrong else EXIT_PASS
