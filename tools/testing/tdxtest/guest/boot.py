# SPDX-License-Identifier: GPL-2.0-only
"""Boots guests, follows their consoles, and ends a guest that does not end."""

import contextlib
import dataclasses
import glob
import os
import re
import subprocess
import threading
import time
import typing
from collections.abc import Callable, Iterable, Sequence

from tdxtest.base import command
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Meter, Progress
from tdxtest.guest.machines import Installation, Machine
from tdxtest.verdict import ktap

POLL_S = 0.05
# A panic prints its trace after the line that tells of it.
PANIC_GRACE_S = 2
# Why a guest ended that the tool has closed.
CLOSED = 'the tool ended it'
# What kselftest_harness.h prints when a case begins, and when it is over.
RUNS = re.compile(r'(?:#\s+(?:RUN|OK|FAIL)\s+|(?:not )?ok \d+ )(\S+)')


@dataclasses.dataclass(frozen=True)
class Limits:
    """Seconds of real time after which the watchdog ends the machine.

    silence: without those in which the machine waited for a CPU of the host.
    """

    silence: float = 180
    total: float = 3600


def waited_for_cpu(pid: int, proc: str = '/proc') -> float:
    """Seconds that a process could not run since others did; 0 where the kernel does not tell.

    Of its threads the one counts that waited the longest.
    """
    waited = [0.0]
    for path in glob.glob(f'{proc}/{pid}/task/*/schedstat'):
        with contextlib.suppress(OSError), open(path, encoding='ascii') as f:
            # Nanoseconds on a CPU, and in a queue for one.
            waited.append(int(f.read().split()[1]) / 1e9)
    return max(waited)


class Tail:
    """New whole lines of a file that another program appends to."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: typing.BinaryIO | None = None
        self._rest = b''

    def lines(self, last: bool = False) -> list[str]:
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

    def close(self) -> None:
        if self._file:
            self._file.close()


class Guest:
    """One boot of a machine. Another thread may close it at any time."""

    def __init__(self, machine: Machine, folder: str, limits: Limits,
                 verbose: bool = False) -> None:
        self.machine = machine
        self.folder = folder
        self.limits = limits
        self.verbose = verbose
        self.console_path = os.path.join(folder, 'console.log')
        self.console = ktap.Console()
        self.unshown: list[str] = []    # lines for the terminal that were not shown yet
        # Why it was ended, '' after a power-off or restart, None: it runs, or will.
        self.ended: str | None = None
        self.last_line = ''
        self.tests_s = 0.0      # real time from the first line of KTAP to the last result
        self.off_s = 0.0        # real time since that result
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._tail = Tail(self.console_path)
        self._start = self._heard = 0.0
        self._waited = 0.0      # for a CPU, when the last line came
        self._began: float | None = None
        self._panicked: float | None = None

    def start(self, image: str, installation: Installation, com: tuple[str, str],
              cpus: int) -> subprocess.Popen[bytes]:
        argv, env = self.machine.command(installation, self.folder, image, com, cpus)
        with open(os.path.join(self.folder, f'{self.machine.name}.out'), 'wb') as out:
            try:
                return subprocess.Popen(argv, env=command.environment(env), stdout=out,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        cwd=self.folder, start_new_session=True)
            except OSError as e:
                raise Failure(f'{self.machine.name}: cannot start {argv[0]}: {e.strerror}') from e

    def launch(self, image: str, installation: Installation, cpus: int) -> None:
        """Boot with the console in a file that poll() reads, unless it was closed before."""
        if os.path.exists(self.console_path):
            os.replace(self.console_path, self.console_path + '.old')
        with self._lock:
            if self.ended is not None:
                return
            self._process = self.start(image, installation, ('file', self.console_path), cpus)
            self._tail = Tail(self.console_path)
            self._start = self._heard = time.monotonic()

    def poll(self) -> bool:
        """Take what the guest wrote. True as long as it runs and may go on."""
        with self._lock:
            if self.ended is None and self._process:
                status = self._process.poll()
                self._read(last=status is not None)
                self.ended = self._end(status)
                if self.ended is not None:
                    self.close()
            return self.ended is None

    def close(self) -> None:
        """End the machine if it still runs. A guest that was closed starts no more."""
        with self._lock:
            process, self._process = self._process, None
            if self.ended is None:
                self.ended = CLOSED
            if process:
                command.kill_group(process)
                self._tail.close()

    def _read(self, last: bool) -> None:
        lines = self._tail.lines(last)
        now = time.monotonic()
        if lines and self._process:
            self._heard, self._waited = now, waited_for_cpu(self._process.pid)
        for line in lines:
            self.last_line = line
            if self.console.feed(line, now) or self.verbose:
                self.unshown.append(line)
        if self.console.started and self._began is None:
            self._began = now
        if self._began is not None:
            if any(line.startswith(('ok ', 'not ok ')) for line in lines):
                self.tests_s = now - self._began
            self.off_s = now - self._began - self.tests_s

    def _end(self, status: int | None) -> str | None:
        """Why the machine ended or must be ended, None if it may go on.

        status: of the machine that has ended, None for one that runs.
        """
        console, now = self.console, time.monotonic()
        if status is not None:
            return '' if console.powered_off else self._died(status)
        if console.restarted or (console.powered_off and now - self._heard > PANIC_GRACE_S):
            return ''
        if console.panic and self._panicked is None:
            self._panicked = now
        if self._panicked is not None and now - self._panicked > PANIC_GRACE_S:
            return 'the kernel panicked'
        if console.halted:
            return 'the guest halted: its kernel cannot power off'
        if now - self._heard > self.limits.silence and self._silence(now) > self.limits.silence:
            return f'no console output for {self.limits.silence:.0f} s'
        if now - self._start > self.limits.total:
            return f'not done after {self.limits.total:.0f} s'
        return None

    def _silence(self, now: float) -> float:
        """Seconds since the last line in which the machine could have run."""
        waited = waited_for_cpu(self._process.pid) if self._process else 0.0
        return now - self._heard - max(0.0, waited - self._waited)

    def _died(self, status: int) -> str:
        # After a panic the guest is to blame, no matter how the machine ended.
        self.console.machine_died = (status not in self.machine.guest_exits and
                                     not self.console.panic)
        why = next(filter(None, (command.reason(os.path.join(self.folder, self.machine.name + end))
                                 for end in ('.log', '.out'))), 'it said nothing')
        return (('the machine died: ' if self.console.machine_died else '')
                + f'{self.machine.name} ended with status {status}: {why}')

    def check_machine(self) -> None:
        """Failure if the machine died: the guest's output shows nothing then."""
        if self.console.machine_died:
            raise Failure(f'{self.ended} (console: {self.console_path})')


def how_far(guests: Sequence[Guest]) -> str:
    """How far each guest is that still runs, for a step's line."""
    last = [(number, guest.last_line.strip()[:90] or 'no console output yet')
            for number, guest in enumerate(guests, 1) if guest.ended is None]
    return '; '.join((f'guest {number}: ' if len(guests) > 1 else '') + f'last: {line}'
                     for number, line in last)


def doing(guests: Sequence[Guest]) -> str:
    """What the first guest does that still runs, for a line that is drawn."""
    line = next((guest.last_line for guest in guests if guest.ended is None), '').strip()
    match = RUNS.match(line)
    return match[1] if match else line or 'no console output yet'


# Shows what guests wrote, and empties their `unshown`.
View = Callable[[Sequence[Guest]], object]


def run(guests: Sequence[Guest], images: Sequence[str], installation: Installation, cpus: int,
        show: Callable[[str], object], view: View | None = None) -> None:
    """Boot each guest with its image, side by side, until all have ended.

    show: takes a line for the terminal. The lines of a guest are held back until
    the guests before it have ended, so that each KTAP document stays whole.
    view: shows the guests in place of `show`.
    """
    view = view or (lambda guests: show_in_turn(guests, show))
    try:
        for number, (guest, image) in enumerate(zip(guests, images, strict=True), 1):
            if len(guests) > 1:
                guest.unshown.append(f'# guest {number} of {len(guests)}')
            guest.launch(image, installation, cpus)
        # sum(), not any(): each guest must be polled.
        while sum(guest.poll() for guest in guests):
            view(guests)
            time.sleep(POLL_S)
        view(guests)
    finally:
        for guest in guests:
            guest.close()


def run_step(progress: Progress, name: str, text: str, guests: Sequence[Guest],
             images: Sequence[str], installation: Installation, cpus: int,
             show: Callable[[str], object] | None = None, view: View | None = None,
             meter: Meter | None = None) -> None:
    """run() as a step of `progress`, which says where the consoles are.

    show, view: as for run(); without `show` the lines are printed. meter: how far the tests are.
    """
    where = ', '.join(guest.console_path for guest in guests)
    told = doing if progress.terminal.live else how_far
    with progress.step(name, f'{text}; console: {where}', lambda: told(guests), meter):
        run(guests, images, installation, cpus, show or progress.line, view)


def show_in_turn(guests: Iterable[Guest], show: Callable[[str], object]) -> None:
    """Show what the guests wrote, up to the first one that still runs."""
    for guest in guests:
        for line in guest.unshown:
            show(line)
        guest.unshown.clear()
        if guest.ended is None:
            return
