# SPDX-License-Identifier: GPL-2.0-only
"""Boots an image, follows its console, and ends a guest that does not end."""

import dataclasses
import os
import subprocess
import time

import command
import ktap
from failure import Failure

POLL_S = 0.05
# A panic prints its trace after the line that tells of it.
PANIC_GRACE_S = 2


@dataclasses.dataclass(frozen=True)
class Limits:
    """Seconds of real time after which the watchdog ends the machine."""

    silence: float = 180
    total: float = 3600


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a boot."""

    console: ktap.Console
    ended: str              # why it was ended, '' after a power-off


class Tail:
    """New whole lines of a file that another program appends to."""

    def __init__(self, path):
        self._path = path
        self._file = None
        self._rest = b''

    def lines(self, last=False):
        if self._file is None:
            try:
                self._file = open(self._path, 'rb')
            except FileNotFoundError:
                return []
        data = self._rest + self._file.read()
        *whole, self._rest = data.split(b'\n')
        if last and self._rest:
            whole.append(self._rest)
            self._rest = b''
        return [line.decode(errors='replace').rstrip('\r') for line in whole]

    def close(self):
        if self._file:
            self._file.close()


class Guest:
    """One boot of a machine."""

    def __init__(self, build, machine, folder, limits, verbose=False):
        self.build = build
        self.machine = machine
        self.folder = folder
        self.limits = limits
        self.verbose = verbose
        self.console_path = os.path.join(folder, 'console.log')
        self.last_line = ''
        self.tests_s = 0.0      # real time since the first line of KTAP

    def start(self, image, installation, com, cpus):
        argv, env = self.machine.command(installation, self.folder, image, com, cpus)
        with open(os.path.join(self.folder, f'{self.machine.name}.out'), 'wb') as out:
            try:
                return subprocess.Popen(argv, env=command.environment(env), stdout=out,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        cwd=self.folder, start_new_session=True)
            except OSError as e:
                raise Failure(f'{self.machine.name}: cannot start {argv[0]}: {e.strerror}') from e

    def run(self, image, installation, cpus):
        """Boot, print the KTAP as it comes, and give the Outcome."""
        if os.path.exists(self.console_path):
            os.replace(self.console_path, self.console_path + '.old')
        console = ktap.Console()
        process = self.start(image, installation, ('file', self.console_path), cpus)
        tail = Tail(self.console_path)
        try:
            ended = self._follow(process, console, tail)
        finally:
            command.kill_group(process)
            tail.close()
        return Outcome(console, ended)

    def _follow(self, process, console, tail):
        """Read the console until the machine ends or must be ended. Gives why."""
        start = heard = time.monotonic()
        began = panicked = None
        while True:
            alive = process.poll() is None
            lines = tail.lines(last=not alive)
            now = time.monotonic()
            for line in lines:
                heard = now
                self.last_line = line
                if console.feed(line) or self.verbose:
                    self.build.progress.line(line)
                if console.started and began is None:
                    began = now
            self.tests_s = now - began if began is not None else 0.0
            if not alive:
                return '' if console.powered_off else self._died(process)
            if console.powered_off and now - heard > PANIC_GRACE_S:
                return ''
            if console.panic and panicked is None:
                panicked = now
            if panicked is not None and now - panicked > PANIC_GRACE_S:
                return 'the kernel panicked'
            if console.halted:
                return 'the guest halted: its kernel cannot power off'
            if now - heard > self.limits.silence:
                return f'no console output for {self.limits.silence:.0f} s'
            if now - start > self.limits.total:
                return f'not done after {self.limits.total:.0f} s'
            time.sleep(POLL_S)

    def _died(self, process):
        why = command.reason(os.path.join(self.folder, f'{self.machine.name}.log'))
        return f'{self.machine.name} ended with status {process.returncode}: {why}'

    def progress(self):
        """How far the guest is, for the step's line."""
        return f'last: {self.last_line.strip()[:90]}' if self.last_line else 'no console output yet'
