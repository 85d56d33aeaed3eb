# SPDX-License-Identifier: GPL-2.0-only
"""The tool as a program: its arguments, its signals, and the status that it ends with."""

import argparse
import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence

import tdxtest
from tdxtest.base import command, discovery
from tdxtest.base.failure import EXIT_NOT_RUN, Failure
from tdxtest.commands import bisect
from tdxtest.guest.options import EPILOG

# A CI system, timeout, or the end of a connection ends a run by one of these.
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='tdxtest.py', epilog=EPILOG,
                                     description=tdxtest.__doc__.splitlines()[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    # Each has add_parser(commands) and run(args), which gives the exit status.
    for module in discovery.modules('commands').values():
        module.add_parser(commands).set_defaults(run=module.run)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    try:
        args = parse_arguments(argv)
    except SystemExit as e:
        if argv[:1] == ['bisect'] and e.code:
            return bisect.EXIT_SKIP
        raise
    try:
        return int(args.run(args))
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


def say(text: object, before: str = '') -> None:
    """Print the line that ends a run. A closed terminal does not change the exit status."""
    with contextlib.suppress(OSError):
        print(f'{before}tdxtest: {text}', file=sys.stderr)


def interrupt(number: int, _frame: object) -> None:
    """Let a signal do what Control-C does, so that nothing is left running or half changed."""
    # The next one, which a CI system is quick to send, must not cut the clean-up.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(f'ended by {signal.Signals(number).name}')


def open_standard() -> None:
    """Open a standard file that is closed: the next file that is opened would get its number."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)


def run_program(argv: Sequence[str]) -> int:
    """main() with the signals and the output of a program; gives the exit status."""
    for number in SIGNALS:
        # nohup ignores one of them, which must stay ignored.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
    if sys.stdout is None:
        say('standard output is closed')
        return EXIT_NOT_RUN
    open_standard()
    if isinstance(sys.stdout, io.TextIOWrapper):
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
