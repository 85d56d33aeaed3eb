#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs KVM's TDX selftests in an emulator, on a machine that has no TDX."""

import argparse
import os
import sys

sys.dont_write_bytecode = True

import abi
import command
import stages
from build import PROJECT
from failure import EXIT_NOT_RUN, Failure
from machines import MACHINES

EPILOG = """\
exit status: 0 all tests passed; 1 a test failed, or the kernel warned;
2 what was asked for cannot be done; 125 something did not fetch, build or boot.
"""


def add_build_options(parser):
    parser.add_argument('--kernel', default='', metavar='SERIES',
                        help='a packaged kernel, such as 7.2 or 7.3 (default: the newest)')
    parser.add_argument('--kdir', default='', metavar='DIR',
                        help='a kernel tree of your own, 6.16 or later; it is never written to')
    parser.add_argument('--build', default=os.path.join(PROJECT, 'build'), metavar='DIR',
                        help='where everything is built (default: build/ of the project)')
    parser.add_argument('--mirror', default='', metavar='URI',
                        help="the Debian mirror (default: the one the system's apt names)")
    parser.add_argument('--abi', default='', metavar='NAME',
                        help='the generation of the MapGPA ABI to build and to expect: '
                             f'{", ".join(abi.NAMES)} (default: that of the kernel)')
    parser.add_argument('--patch', action='append', default=[], metavar='FILE',
                        help='apply a row of patches/series that is not applied by itself, '
                             'such as a fix; may be given several times')
    parser.add_argument('--update', action='store_true',
                        help='look for a newer package of the kernel series')


def add_boot_options(parser):
    parser.add_argument('--machine', default='bochs', choices=sorted(MACHINES),
                        help='what runs the guest (default: %(default)s)')
    parser.add_argument('--cpus', type=int, default=1, metavar='N',
                        help='CPUs of the guest (default: %(default)s)')
    parser.add_argument('--jobs', type=int, metavar='N',
                        help='guests that share the tests and run side by side '
                             '(default: one for each CPU of this machine)')
    parser.add_argument('--silence', type=float, default=180, metavar='SECONDS',
                        help='end a guest that prints nothing for so long (default: %(default)s)')
    parser.add_argument('--total', type=float, default=3600, metavar='SECONDS',
                        help='end a guest that runs for so long (default: %(default)s)')
    parser.add_argument('-v', '--verbose', action='store_true',
                        help='print the whole console, not only the KTAP')


def add_expect_options(parser):
    parser.add_argument('--expect', default='', metavar='NAME',
                        help='expect another generation than the one that is built: '
                             'what differs must fail')
    parser.add_argument('--env', action='append', default=[], metavar='NAME=VALUE',
                        help='environment of the tests, for cases that run on request only; '
                             'may be given several times')
    parser.add_argument('--strict-abi', action='store_true',
                        help='a case that the generation does not have fails instead of '
                             'being skipped, to bisect for it')


def add_test_argument(parser):
    parser.add_argument('tests', nargs='*', metavar='TEST[:CASE]',
                        help='a test, or the cases of one that match a pattern such as '
                             "'eagain*' (default: all tests); tdxtest.py list names them")


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)

    run = commands.add_parser('run', help='fetch, build, boot, run the tests, judge',
                              epilog=EPILOG)
    add_build_options(run)
    add_boot_options(run)
    add_expect_options(run)
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
    parse.add_argument('log', help='the log, - for standard input')

    check = commands.add_parser('check', help="the project's own tests, then a run",
                                epilog=EPILOG)
    add_build_options(check)
    add_boot_options(check)
    check.add_argument('--static', action='store_true',
                       help='only what needs no boot: tables, style, unit tests')
    return parser.parse_args(argv)


def main(argv):
    args = parse_arguments(argv)
    try:
        return stages.COMMANDS[args.command](args)
    except Failure as e:
        print(f'tdxtest: {e}', file=sys.stderr)
        return e.status
    except OSError as e:
        print(f'tdxtest: {command.explain(e)}', file=sys.stderr)
        return EXIT_NOT_RUN
    except KeyboardInterrupt:
        print('tdxtest: interrupted; the next run goes on from here', file=sys.stderr)
        return EXIT_NOT_RUN


if __name__ == '__main__':
    sys.stdout.reconfigure(errors='replace')
    sys.exit(main(sys.argv[1:]))
