# SPDX-License-Identifier: GPL-2.0-only
"""The command that runs the KUnit tests alone."""

import argparse

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.guest import boot, request, runs, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options
from tdxtest.guest.stages import Built
from tdxtest.verdict.kunit import parser_of, problems

# The kernel runs them at the end of its own start, and restarts before init.
PARAMETERS = 'kunit.enable=1 kunit.autorun=1 kunit_shutdown=reboot'
# Some tests need a second CPU: they enter a vCPU that is associated with the first.
CPUS = 2


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('kunit', help='the KUnit tests of the simulated TDX module',
                                 epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    return parser


def boot_tests(built: Built) -> tuple[list[str], str, str]:
    """Boot the built kernel for its tests; gives the lines that are wrong, the sum and the text."""
    installation = built.request.boot.machine.prepare(built.build)
    folder = built.build.folder('run', built.work.source.name, 'kunit')
    image = runs.boot_image(built, folder, [], more=PARAMETERS)
    guest = runs.new_guest(built.request, folder)
    boot.run_step(built.progress, 'kunit', f'KUnit tests, {CPUS} CPUs', [guest], [image],
                  installation, CPUS, lambda line: None)
    guest.check_machine()
    with open(guest.console_path, encoding='utf-8', errors='replace') as log:
        wrong, summary, text = problems(parser_of(built.work.tree), log)
    wrong += [f'KUnit: the kernel warned: {line}' for line in guest.console.warnings]
    if guest.ended or guest.console.panic:
        wrong.append(f'KUnit: {guest.console.panic or guest.ended}')
    return wrong, summary, text


def run(args: argparse.Namespace) -> int:
    wanted = request.from_arguments(args)
    built = stages.without_suite(stages.fetch(wanted, stages.opened(wanted)))
    wrong, summary, text = boot_tests(built)
    for line in (text.rstrip(), *wrong, summary):
        built.progress.line(line)
    return EXIT_FAIL if wrong else EXIT_PASS
