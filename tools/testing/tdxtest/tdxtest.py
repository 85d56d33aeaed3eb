#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs KVM's TDX selftests in an emulator, on a machine that has no TDX."""

import argparse
import contextlib
import os
import signal
import sys
import traceback

sys.dont_write_bytecode = True

import bench
import bisection
import boot_image
import check_long
import command
import gcov
import kunit_run
import mutate
import package
import reload
import report
import results
import review
import send
import stages
from failure import EXIT_NOT_RUN, Failure
from options import (EPILOG, add_boot_options, add_build_options, add_expect_options,
                     add_test_argument)

# What ends a run that nobody waits for: a CI system, timeout, the end of a connection.
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
# Commands in a module each, which has add_parser(commands) and run(args).
MODULES = (
    bench,
    bisection,
    boot_image,
    check_long,
    gcov,
    kunit_run,
    mutate,
    package,
    reload,
    report,
    review,
    send,
)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)

    run = commands.add_parser('run', help='fetch, build, boot, run the tests, judge',
                              epilog=EPILOG)
    add_build_options(run)
    add_boot_options(run)
    add_expect_options(run)
    results.add_options(run)
    add_test_argument(run)

    build = commands.add_parser('build', help='fetch and build only', epilog=EPILOG)
    add_build_options(build)

    boot = commands.add_parser('boot', help='build and boot without tests', epilog=EPILOG)
    add_build_options(boot)
    add_boot_options(boot)
    boot.add_argument('--shell', action='store_true',
                      help='an interactive shell in the guest; the tests are in /tests')

    listing = commands.add_parser('list', help='name the tests, or the cases of one',
                                  epilog=EPILOG)
    add_build_options(listing)
    add_test_argument(listing)

    parse = commands.add_parser('parse', help='judge a saved console log', epilog=EPILOG)
    results.add_options(parse)
    parse.add_argument('log', nargs='+', help='the logs of the guests of one run, '
                                              '- for standard input')

    check = commands.add_parser('check', help="the project's own tests, then a run",
                                epilog=EPILOG)
    add_build_options(check)
    add_boot_options(check)
    check.add_argument('--static', action='store_true',
                       help='only what needs no boot: tables, style, unit tests')

    for module in MODULES:
        module.add_parser(commands).set_defaults(run=module.run)
    return parser.parse_args(argv)


def main(argv):
    try:
        args = parse_arguments(argv)
    except SystemExit as e:
        if argv[:1] == ['bisect'] and e.code:
            return bisection.EXIT_SKIP
        raise
    try:
        return (stages.COMMANDS.get(args.command) or args.run)(args)
    except Failure as e:
        say(e)
        return e.status
    except OSError as e:
        say(command.explain(e))
        return EXIT_NOT_RUN
    except KeyboardInterrupt as e:
        say(f'{str(e) or "interrupted"}; the next run goes on from here')
        return EXIT_NOT_RUN
    except Exception as e:  # pylint: disable=broad-except
        # Python would end with 1, as if a test had failed.
        *_, place = traceback.extract_tb(e.__traceback__)
        say(f'this tool failed: {type(e).__name__}: {e} '
            f'({os.path.basename(place.filename)}:{place.lineno})', traceback.format_exc())
        return EXIT_NOT_RUN


def say(text, before=''):
    """Print the line that ends a run. Who hung up does not hear it, nor gets another status."""
    with contextlib.suppress(OSError):
        print(f'{before}tdxtest: {text}', file=sys.stderr)


def interrupt(number, _frame):
    """Let a signal do what Control-C does, so that nothing is left running or half changed."""
    # The next one, which a CI system is quick to send, must not cut the clean-up.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(f'ended by {signal.Signals(number).name}')


def run_program(argv):
    """main() with the signals and the output of a program; gives the exit status."""
    for number in SIGNALS:
        # nohup has one ignored, which is to stay so.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
    if sys.stdout is None:
        # The next file that is opened would be in its place.
        say('standard output is closed')
        return EXIT_NOT_RUN
    sys.stdout.reconfigure(errors='replace')
    status = main(argv)
    try:
        sys.stdout.flush()
    except OSError as e:
        say(f'standard output: {e.strerror}')
        # Python would try again, and end with 120, which git bisect takes for a bad commit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or EXIT_NOT_RUN
    return status


if __name__ == '__main__':
    sys.exit(run_program(sys.argv[1:]))
