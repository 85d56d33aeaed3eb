# SPDX-License-Identifier: GPL-2.0-only
"""Commands as root: directly, or through sudo, which may ask for a password.

sudo asks on the terminal of its session, and remembers the answer for that
terminal. A command that needs it must run in our session: command.run() starts
others in a session of their own.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping

from tdxtest.base import command

# sudo removes these. Where a machine reaches its mirror by a proxy, apt needs them.
PROXIES = ('http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy')


def is_root() -> bool:
    return os.geteuid() == 0


def _refusal_of_sudo() -> str:
    """What sudo says where it would not run a command without a password, or ''."""
    if not shutil.which('sudo'):
        return 'there is neither root nor sudo'
    done = subprocess.run(['sudo', '-n', 'true'], stdin=subprocess.DEVNULL, text=True,
                          env=command.environment(), capture_output=True, errors='replace',
                          check=False)
    said = done.stderr.strip().splitlines()
    return (said[-1] if said else 'sudo: no message') if done.returncode else ''


def has_terminal() -> bool:
    """Whether a program of ours can ask: our terminal is there, and we are in front of it."""
    try:
        terminal = os.open('/dev/tty', os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def refusal() -> str:
    """Why commands cannot run as root, in a few words; '' where they can.

    Lets sudo ask for a password if it wants one and a terminal is there.
    """
    if is_root():
        return ''
    why = _refusal_of_sudo()
    if not why or not shutil.which('sudo'):
        return why
    if not has_terminal():
        return f'there is no terminal where sudo can ask for a password ({why})'
    if subprocess.run(['sudo', '-v'], env=command.environment(), check=False).returncode:
        return 'sudo refuses'
    return ''


def as_root(argv: list[str], env: Mapping[str, str]) -> list[str]:
    """The argument list that runs argv as root with `env` beside root's environment."""
    if is_root():
        return argv
    env = {**{k: v for k, v in os.environ.items() if k.lower() in PROXIES}, **env}
    return ['sudo', 'env', *(f'{k}={v}' for k, v in env.items()), *argv]
