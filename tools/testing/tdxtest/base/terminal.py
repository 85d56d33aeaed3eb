# SPDX-License-Identifier: GPL-2.0-only
"""A terminal: lines that stay, and below them one line that is drawn again and again."""

import os
import shutil
import typing
from collections.abc import Mapping

# Escapes of ANSI X3.64, which every terminal but a dumb one knows.
COLOURS = {'red': '31', 'green': '32', 'yellow': '33', 'blue': '34', 'bold': '1'}
ERASE = '\r\x1b[K'
BAR_COLUMNS = 20
# Columns that a bar and the text around it need. On a narrower terminal there is no bar.
LEAST_COLUMNS = 60


class Terminal:
    """Where a command prints.

    person: it is a terminal, not a pipe or a file; live: it can draw a line again; colour: it
    takes colours, and NO_COLOR is not set.
    """

    def __init__(self, out: typing.Any, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._out = out
        self._drawn = ''
        try:
            self.person = bool(out.isatty())
        except (AttributeError, ValueError):
            self.person = False
        self.live = self.person and environ.get('TERM', '') not in ('', 'dumb')
        self.colour = self.live and not environ.get('NO_COLOR')

    def columns(self) -> int:
        """The width of the terminal; of 80 columns if that is not known."""
        try:
            return os.get_terminal_size(self._out.fileno()).columns or 80
        except (OSError, AttributeError, ValueError):
            return shutil.get_terminal_size().columns

    def paint(self, text: str, *colours: str) -> str:
        """The text in colours, or as it is."""
        if not self.colour or not colours:
            return text
        return f'\x1b[{";".join(COLOURS[colour] for colour in colours)}m{text}\x1b[0m'

    def print(self, text: str) -> None:
        """Print a line that stays, above the one that is drawn."""
        drawn, self._drawn = self._drawn, ''
        print(f'{ERASE if drawn else ""}{text}', file=self._out, flush=True)
        if drawn:
            self.draw(drawn)

    def draw(self, text: str) -> None:
        """Draw the last line anew, as much of it as one line holds; '' takes it away."""
        if not self.live or text == self._drawn:
            return
        # Without the last column: a terminal may go on to the next line there.
        self._drawn = text[:self.columns() - 1]
        print(f'{ERASE}{self._drawn}', end='', file=self._out, flush=True)


def share_bar(share: float) -> str:
    """A share of 1 as a bar."""
    full = int(max(0.0, min(share, 1.0)) * BAR_COLUMNS)
    return f'[{"#" * full}{"." * (BAR_COLUMNS - full)}]'


def duration(seconds: float) -> str:
    return f'{seconds:.0f} s' if seconds < 100 else f'{seconds // 60:.0f} min {seconds % 60:.0f} s'


def status_line(columns: int, name: str, text: str, share: float | None, counted: str,
                times: str) -> str:
    """A line for a step that lasts, in the columns that there are.

    share: how much of it is done, None if that is not known; counted: "12 of 40 cases".
    """
    parts = [name]
    if share is not None and columns >= LEAST_COLUMNS:
        parts.append(share_bar(share))
    parts += filter(None, (counted, times))
    head = ' '.join(parts[:2]) + ''.join(f', {part}' for part in parts[2:])
    room = columns - 1 - len(head) - 2
    return (f'{head}, {text[:room]}' if text and room >= 10 else head)[:columns - 1]
