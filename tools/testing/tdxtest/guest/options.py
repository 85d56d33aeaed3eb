# SPDX-License-Identifier: GPL-2.0-only
"""Command-line options that several commands share."""

import argparse
import typing

from tdxtest.guest.machines import MACHINES
from tdxtest.guest.request import LIBRARIES, BootRequest, BuildRequest, ExpectRequest
from tdxtest.tree import abi

EPILOG = """\
exit status: 0 all tests passed; 1 a test failed, or the kernel warned;
2 what was asked for cannot be done; 125 something did not fetch, build or boot.
"""
# What a command adds its parser to.
Commands: typing.TypeAlias = 'argparse._SubParsersAction[argparse.ArgumentParser]'


def add_place_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--build', default=BuildRequest.folder, metavar='DIR',
                        help='where everything is built (default: build/ of the project)')
    parser.add_argument('--mirror', default=BuildRequest.mirror, metavar='URI',
                        help="the Debian mirror (default: the one the system's apt names)")


def add_build_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--kernel', default=BuildRequest.kernel, metavar='SERIES',
                        help='a packaged kernel, such as 7.2 or 7.3 (default: the newest)')
    parser.add_argument('--kdir', default=BuildRequest.kdir, metavar='DIR',
                        help='a kernel tree of your own, 6.16 or later; it is never written to')
    add_place_options(parser)
    parser.add_argument('--abi', default=BuildRequest.abi, metavar='NAME',
                        help='the generation of the MapGPA ABI to build and to expect: '
                             f'{", ".join(abi.NAMES)} (default: that of the kernel)')
    parser.add_argument('--patch', action='append', default=[], metavar='FILE',
                        help='apply a row of patches/series that is not applied by itself: a '
                             'file, fixes/NNNN, or fixes/all; may be given several times')
    parser.add_argument('--debug', action='store_true',
                        help='a kernel that checks itself: KASAN, lockdep, UBSAN and more; '
                             'built apart from the other')
    parser.add_argument('--config', default=BuildRequest.config, metavar='FILE',
                        help='a fragment of .config: options of your own, added to those that '
                             'the tests need; the kernel is built apart from the other')
    parser.add_argument('--library', default=BuildRequest.library, choices=LIBRARIES,
                        help='build the suite with the selftest library of the kernel tree, or '
                             "of a packaged kernel (default: the tree's if the suite fits it)")
    parser.add_argument('--update', action='store_true',
                        help='look for a newer package of the kernel series')


def add_machine_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--machine', default=BootRequest.machine.name, metavar='NAME',
                        help=f'what runs the guest: {", ".join(sorted(MACHINES))}, or, to run '
                             'tests under the kernel of a host, ssh:HOST (default: %(default)s)')


def add_boot_options(parser: argparse.ArgumentParser, jobs: bool = True) -> None:
    add_machine_option(parser)
    parser.add_argument('--cpus', type=int, default=BootRequest.cpus, metavar='N',
                        help='CPUs of the guest (default: %(default)s)')
    if jobs:
        parser.add_argument('--jobs', type=int, metavar='N',
                            help='guests that share the tests and run side by side '
                                 '(default: one for each CPU of this machine)')
    parser.add_argument('--silence', type=float, default=BootRequest.silence, metavar='SECONDS',
                        help='end a guest that could run and prints nothing for so long, five '
                             'times that with --debug (default: %(default)s)')
    parser.add_argument('--total', type=float, default=BootRequest.total, metavar='SECONDS',
                        help='end a guest that runs for so long, five times that with --debug '
                             '(default: %(default)s)')
    parser.add_argument('--trace', type=int, nargs='?', const=200, default=BootRequest.trace,
                        metavar='LINES',
                        help='trace SEAMCALLs and exits, and print the last events '
                             '(%(const)s of them) after a test that failed; '
                             'with a kernel that is built apart')
    parser.add_argument('-v', '--verbose', action='store_true',
                        help='print the whole console, not only the KTAP')


def add_environment_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--env', action='append', default=[], metavar='NAME=VALUE',
                        help='environment of the tests, for cases that run on request only; '
                             'may be given several times')


def add_strict_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--strict', action='store_true',
                        help='a case that passes although a finding says that it fails is a '
                             'problem, not a note')


def add_shard_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--shard', default='', metavar='K/N',
                        help='run part K of the N parts that the chosen cases are dealt to')


def add_show_options(parser: argparse.ArgumentParser) -> None:
    """Options that kunit.py has, by its names."""
    parser.add_argument('--raw_output', action='store_true',
                        help='print the KTAP of the guests also on a terminal')
    parser.add_argument('--summary', action='store_true', help='print the summary only')
    parser.add_argument('--failed', action='store_true',
                        help='print failed cases and the summary only')


def add_expect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--expect', default=ExpectRequest.generation, metavar='NAME',
                        help='expect another generation than the one that is built: '
                             'what differs must fail')
    add_environment_option(parser)
    parser.add_argument('--strict-abi', action='store_true',
                        help='a case that the generation does not have fails instead of '
                             'being skipped, to bisect for it')


def add_test_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('tests', nargs='*', metavar='TEST[:CASE]',
                        help='a test, or the cases of one that match a pattern such as '
                             "'eagain*' (default: all tests); tdxtest.py list names them")
