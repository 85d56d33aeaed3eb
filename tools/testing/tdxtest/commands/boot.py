# SPDX-License-Identifier: GPL-2.0-only
"""The command that boots without tests, or to a shell."""

from tdxtest.guest.options import EPILOG, add_boot_options, add_build_options
from tdxtest.guest.stages import Session


def add_parser(commands):
    parser = commands.add_parser('boot', help='build and boot without tests', epilog=EPILOG)
    add_build_options(parser)
    add_boot_options(parser)
    parser.add_argument('--shell', action='store_true',
                        help='an interactive shell in the guest; the tests are in /tests')
    return parser


def run(args):
    session = Session(args)
    session.prepare(with_suite=args.shell)
    return session.conclude(session.boot_shell() if args.shell else session.boot([]))
