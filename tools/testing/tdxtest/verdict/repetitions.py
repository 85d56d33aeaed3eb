# SPDX-License-Identifier: GPL-2.0-only
"""Numbers the repetitions of tests, and says in which of them something was seen."""

import itertools
import re
from collections.abc import Iterable, Sequence

# The process that a warning of the kernel ends with is another one each time.
PROCESS = re.compile(r'/\d+$')


def numbers(names: Iterable[str]) -> list[int]:
    """For each result in the order of a console: which repetition of its test it is, from 1."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(seen[name])
    return found


def spans(repetitions: Iterable[int]) -> str:
    """[3, 7, 8, 9] as "3, 7-9"."""
    # The members of a run of numbers differ from their positions by the same.
    runs = [[number for _, number in run] for _, run in
            itertools.groupby(enumerate(sorted(set(repetitions))), lambda pair: pair[1] - pair[0])]
    return ', '.join(str(run[0]) if len(run) == 1 else f'{run[0]}-{run[-1]}' for run in runs)


def told(found: Sequence[tuple[int, str]], times: int) -> list[str]:
    """The lines of [(repetition, line)], each once with its repetitions if there are several.

    A line of repetition 0 is of none. times: how often each test had to run.
    """
    if times == 1:
        return [line for _, line in found]
    alike: dict[str, list[tuple[int, str]]] = {}
    for number, line in found:
        alike.setdefault(PROCESS.sub('', line), []).append((number, line))
    return [same[0][1] if same[0][0] == 0 else
            f'repetition {spans(number for number, _ in same)} of {times}: {same[0][1]}'
            for same in alike.values()]
