# SPDX-License-Identifier: GPL-2.0-only
"""Says what is being done and for how long, and records what each step took."""

import contextlib
import json
import os
import sys
import threading
import time
import typing
from collections.abc import Callable, Iterator

# A step that says nothing for this long gets a line of its own.
HEARTBEAT_S = 10


class Progress:
    """Prints one line at the start of a step, while it lasts, and at its end."""

    def __init__(self, out: typing.Any = sys.stdout,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._start = clock()
        self._lock = threading.Lock()
        self._last = self._start
        self.times: dict[str, float] = {}

    def line(self, text: str) -> None:
        """Print a line as it is: output of the guest."""
        with self._lock:
            print(text, file=self._out, flush=True)
            self._last = self._clock()

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        self.line(f'[{self._clock() - self._start:7.1f}s] {text}')

    @contextlib.contextmanager
    def step(self, name: str, text: str, detail: Callable[[], str] | None = None) -> Iterator[None]:
        """Run the body as the step `name`.

        detail: a function that gives a few words on how far the step is.
        The seconds are added to times[name], also when the body fails.
        """
        begin = self._clock()
        done = threading.Event()
        self.say(f'{name}: {text}')

        def beat() -> None:
            while not done.wait(1):
                now = self._clock()
                if now - self._last < HEARTBEAT_S:
                    continue
                more = detail() if detail else ''
                self.say(f'{name}: still at it after {now - begin:.0f} s'
                         + (f', {more}' if more else ''))

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            took = self._clock() - begin
            self.times[name] = self.times.get(name, 0) + took
        self.say(f'{name}: done in {took:.1f} s')

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
        temp = f'{path}.tmp'
        with open(temp, 'w', encoding='utf-8') as f:
            json.dump(times, f, indent=1)
            f.write('\n')
        os.replace(temp, path)
