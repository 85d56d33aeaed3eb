# SPDX-License-Identifier: GPL-2.0-only
"""What TD is asked for."""

import argparse
import dataclasses
import os

from tdxtest.base.failure import UsageError
from tdxtest.tree.td_tests import ENDS, PREFIX

# OVMF and a distribution's kernel have no room in less.
LEAST_MB = 96
DEFAULT_ENDS = ('power_off',)


@dataclasses.dataclass(frozen=True)
class TdRequest:
    """A TD. A file that is '' is the packaged one."""

    kernel: str = ''
    initrd: str = ''
    append: str = ''
    firmware: str = ''
    memory_mb: int = 208
    cpus: int = 1
    shell: bool = False


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--guest-kernel', default=TdRequest.kernel, metavar='FILE',
                        help="the TD's kernel, a bzImage (default: a packaged one)")
    parser.add_argument('--guest-initrd', default=TdRequest.initrd, metavar='FILE',
                        help="the TD's initramfs, which must end the TD; its boot alone is "
                             'judged (default: one that makes the checks)')
    parser.add_argument('--guest-append', default=TdRequest.append, metavar='TEXT',
                        help="more parameters of the TD's kernel")
    parser.add_argument('--firmware', default=TdRequest.firmware, metavar='FILE',
                        help="the TD's firmware, with TDVF metadata (default: a packaged OVMF)")
    parser.add_argument('--memory', type=int, default=TdRequest.memory_mb, metavar='MB',
                        help='memory of the TD (default: %(default)s)')
    parser.add_argument('--smp', type=int, default=TdRequest.cpus, metavar='N',
                        help="the TD's vCPUs (default: %(default)s)")
    parser.add_argument('--end', action='append', choices=(*ENDS, 'all'), default=[],
                        help='how the TD ends; a boot for each; may be given several times '
                             '(default: power_off)')
    parser.add_argument('--shell', action='store_true',
                        help='a shell in the TD, on this terminal')


def from_arguments(args: argparse.Namespace) -> TdRequest:
    """The TD of a command line; UsageError for one that cannot be."""
    for option in ('guest_kernel', 'guest_initrd', 'firmware'):
        path = getattr(args, option)
        if path and not os.path.isfile(path):
            raise UsageError(f'--{option.replace("_", "-")} {path}: no such file')
    if args.memory < LEAST_MB:
        raise UsageError(f'--memory {args.memory}: a TD needs {LEAST_MB} MB or more')
    if not 1 <= args.smp <= 8:
        raise UsageError(f'--smp {args.smp}: a TD has 1 to 8 vCPUs here')
    if '\n' in args.guest_append:
        raise UsageError('--guest-append: wanted one line')
    if args.guest_initrd and args.end:
        raise UsageError('--end needs the init of this tool, which --guest-initrd replaces')
    return TdRequest(args.guest_kernel, args.guest_initrd, args.guest_append, args.firmware,
                     args.memory, args.smp, args.shell)


def tests(args: argparse.Namespace) -> list[str]:
    """The tests of a command line."""
    ends = list(ENDS) if 'all' in args.end else list(dict.fromkeys(args.end or DEFAULT_ENDS))
    return [PREFIX + end for end in ends]
