# SPDX-License-Identifier: GPL-2.0-only
"""An interactive shell in the guest: joins a terminal to its serial line."""

import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import tty
import typing
from collections.abc import Iterator

from tdxtest.base import apt, command
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure, UsageError
from tdxtest.guest.boot import Guest
from tdxtest.guest.machines import Installation
from tdxtest.verdict import ktap

PACKAGE = 'busybox-static'
PLACES = ('usr/bin/busybox', 'bin/busybox')
# Control-], as telnet has it.
ESCAPE = b'\x1d'


def busybox(build: Build) -> str:
    """The path of a static busybox, fetched from the distribution if need be."""
    folder = build.path('busybox')
    for place in PLACES:
        path = os.path.join(folder, place)
        if os.path.exists(path):
            return path
    state = apt.AptState()
    if not state.versions(PACKAGE):
        state = build.isolated_apt()
    versions = state.versions(PACKAGE)
    if not versions:
        raise Failure(f'{PACKAGE} is not packaged for this system; the shell needs it')
    with build.progress.step('busybox', f'{PACKAGE} by {state.name}'):
        deb = state.download(PACKAGE, versions[0][0], build.folder('downloads'), build.log('apt'))
        part = build.folder('busybox.part')
        apt.unpack(deb, part, [f'./{place}' for place in PLACES])
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(part, folder)
    return next(p for p in (os.path.join(folder, place) for place in PLACES)
                if os.path.exists(p))


@contextlib.contextmanager
def raw_terminal(fd: int) -> Iterator[None]:
    """Keys go to the guest as they are, Control-C included."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def interact(guest: Guest, image: str, installation: Installation, cpus: int) -> ktap.Console:
    """Boot `image` and join the terminal to it until its end."""
    if not sys.stdin.isatty():
        raise UsageError('boot --shell needs a terminal on its standard input')
    master, slave = pty.openpty()
    tty.setraw(slave)
    process = guest.start(image, installation, ('term', os.ttyname(slave)), cpus)
    print('Control-] ends the guest; "exit" leaves the shell and ends it as well\r')
    console = ktap.Console()
    try:
        with raw_terminal(sys.stdin.fileno()), open(guest.console_path, 'wb') as log:
            join(process, master, console, log)
    finally:
        command.kill_group(process)
        os.close(master)
        os.close(slave)
    return console


def join(process: subprocess.Popen[bytes], master: int, console: ktap.Console,
         log: typing.BinaryIO) -> None:
    """Copy both ways until the emulator or the guest ends, or ESCAPE."""
    keys = sys.stdin.fileno()
    rest = b''
    while process.poll() is None and not (console.powered_off or console.halted):
        ready, _, _ = select.select([keys, master], [], [], 0.5)
        if keys in ready:
            data = os.read(keys, 1024)
            if not data or ESCAPE in data:
                return
            os.write(master, data)
        if master in ready:
            data = os.read(master, 65536)
            os.write(sys.stdout.fileno(), data)
            log.write(data)
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                console.feed(line.decode(errors='replace'))
