# SPDX-License-Identifier: GPL-2.0-only
"""Says what is being done and for how long, and records what each step took."""

import contextlib
import dataclasses
import json
import os
import re
import sys
import threading
import time
import typing
from collections.abc import Callable, Iterator, Sequence

from tdxtest.base import terminal
from tdxtest.base.terminal import Terminal

# A step that says nothing for this long gets a line of its own where no line can be drawn.
HEARTBEAT_S = 10
# How often that is looked at, and how often a line is drawn.
POLL_S = 1
DRAW_S = 0.2
# Shorter steps say nothing about how long the next one takes.
REMEMBERED_S = 1
# What each() goes through.
T = typing.TypeVar('T')


@dataclasses.dataclass(frozen=True)
class Meter:
    """How far a step is: `done()` of `total` units.

    total: 0 if it is not known. Then it is what the last step of this name had in the end.
    """

    done: Callable[[], int]
    unit: str
    total: int = 0


class LogLines:
    """Counts the lines that a make adds to a log for what it makes."""

    MADE = re.compile(rb'^(?:  [A-Z][A-Z+]+ |gcc |clang )', re.MULTILINE)

    def __init__(self, path: str) -> None:
        self._path = path
        self._at = os.path.getsize(path) if os.path.exists(path) else 0
        self._count = 0

    def __call__(self) -> int:
        try:
            with open(self._path, 'rb') as f:
                f.seek(self._at)
                data = f.read()
        except OSError:
            return self._count
        whole = data.rfind(b'\n') + 1
        self._at += whole
        self._count += len(self.MADE.findall(data[:whole]))
        return self._count


class Progress:
    """Prints one line at the start of a step, while it lasts, and at its end.

    On a terminal a step has one line, which is drawn again while it lasts, and stays.

    heartbeat_s, poll_s: as HEARTBEAT_S and POLL_S, of this one alone.
    """

    def __init__(self, out: typing.Any = None, clock: Callable[[], float] = time.monotonic,
                 heartbeat_s: float = HEARTBEAT_S, poll_s: float = POLL_S) -> None:
        self._heartbeat_s, self._poll_s = heartbeat_s, poll_s
        self.terminal = Terminal(sys.stdout if out is None else out)
        self._clock = clock
        self._start = clock()
        self._lock = threading.Lock()
        self._last = self._start
        # The steps that are going on, each within the one before it.
        self._open: list[threading.Event] = []
        # What is being done within a step that has no words of its own.
        self.doing = ''
        self._file = ''
        # {step: [seconds, units]} of the last time
        self._before: dict[str, list[float]] = {}
        self.times: dict[str, float] = {}

    def remember(self, path: str) -> None:
        """Expect of each step what the last one took, which is in a file, and keep that."""
        self._file = path
        try:
            with open(path, encoding='utf-8') as f:
                self._before = json.load(f)
        except (OSError, ValueError):
            self._before = {}

    def line(self, text: str) -> None:
        """Print a line as it is: output of the guest."""
        with self._lock:
            self.terminal.print(text)
            self._last = self._clock()

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        self.line(f'[{self._clock() - self._start:7.1f}s] {text}')

    @contextlib.contextmanager
    def step(self, name: str, text: str, detail: Callable[[], str] | None = None,
             meter: Meter | None = None, key: str = '', asks: bool = False) -> Iterator[None]:
        """Run the body as the step `name`.

        detail: a function that gives a few words on how far the step is; key: what the step
        is remembered as, if steps of this name differ; asks: sudo may ask for a password on
        the terminal meanwhile, so that nothing is drawn there.
        The seconds are added to times[name], also when the body fails.
        """
        begin = self._clock()
        done = threading.Event()
        live = self.terminal.live and not asks
        if not live:
            self.say(f'{name}: {text}')

        def beat() -> None:
            while not done.wait(DRAW_S if live else self._poll_s):
                now = self._clock()
                # A step within this one tells more.
                if self._open[-1] is not done:
                    continue
                if live:
                    more = detail() if detail else self.doing or text
                    self._draw(name, more, now - begin, meter, key)
                elif now - self._last >= self._heartbeat_s:
                    more = detail() if detail else self.doing
                    self.say(f'{name}: still at it after {now - begin:.0f} s'
                             + (f', {more}' if more else ''))

        self._open.append(done)
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self._open.remove(done)
            took = self._clock() - begin
            self.times[name] = self.times.get(name, 0) + took
            with self._lock:
                self.terminal.draw('')
        self._keep(key or name, took, meter)
        self.say(f'{name}: {text}, {took:.1f} s' if live else f'{name}: done in {took:.1f} s')

    def each(self, name: str, items: Sequence[T], told: Callable[[T], str] = str,
             detail: Callable[[], str] | None = None) -> Iterator[T]:
        """Give the items, each in a step of its own that says which one of how many it is.

        told: gives the name of an item; detail: as for step().
        """
        for number, item in enumerate(items, 1):
            with self.step(name, f'{told(item)}: {number} of {len(items)}', detail):
                yield item

    def _draw(self, name: str, text: str, took: float, meter: Meter | None, key: str) -> None:
        """Draw the line of a step that lasts."""
        expected, units = self._before.get(key or name, (0.0, 0.0))
        share = min(took / expected, 0.99) if expected else None
        counted = ''
        if meter:
            done, total = meter.done(), meter.total or int(units)
            counted = f'{done} of {total} {meter.unit}' if total >= done else f'{done} {meter.unit}'
            share = done / total if total >= done and total else share
        times = terminal.duration(took)
        times += f' of about {terminal.duration(expected)}' if expected > took else ''
        line = terminal.status_line(self.terminal.columns(), name, text, share, counted, times)
        with self._lock:
            self.terminal.draw(line)

    def _keep(self, key: str, took: float, meter: Meter | None) -> None:
        """Write down what a step took, for the next one."""
        if not self._file or took < REMEMBERED_S:
            return
        self._before[key] = [round(took, 1), meter.done() if meter else 0]
        with contextlib.suppress(OSError):
            write_json(self._file, self._before)

    def move(self, name: str, part: str, seconds: float) -> None:
        """Book `seconds` of the step `name` as a step of their own, `part`."""
        self.times[name] -= seconds
        self.times[part] = self.times.get(part, 0) + seconds

    def table(self) -> str:
        """One line with the seconds of each step."""
        steps = ', '.join(f'{name} {took:.1f}' for name, took in self.times.items())
        return f'times (s): {steps}, total {self._clock() - self._start:.1f}'

    def save(self, path: str) -> None:
        """Write the times as JSON: {step: seconds}."""
        times = {name: round(took, 2) for name, took in self.times.items()}
        times['total'] = round(self._clock() - self._start, 2)
        write_json(path, times)


def write_json(path: str, data: typing.Any) -> None:
    """Write a whole file or none."""
    temp = f'{path}.tmp'
    with open(temp, 'w', encoding='utf-8') as f:
        json.dump(data, f, indent=1)
        f.write('\n')
    os.replace(temp, path)
