# SPDX-License-Identifier: GPL-2.0-only
"""Where a guest hung or died: the case, and the stack of the task that does not come back.

The stack is what the guest's init prints of a test that is silent for long, or, where init
does not get to run, the trace of the kernel's panic.
"""

import dataclasses
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from tdxtest.verdict import ktap

# Of guest_src/hang.c: a task, and a frame of its stack.
TASK = re.compile(r'# hang: task (\d+) (.*)')
FRAME = re.compile(r'# hang:\s+(\S.*)')
# The kernel's own trace. A frame with a question mark may be left over from another call.
TRACE = re.compile(r'\[\s*\d+\.\d+\] .*(?:Call Trace:|RIP: )')
CAUSE = re.compile(r'Oops|BUG: |general protection fault')
# What was interrupted begins here; the frames above are those of the interrupt.
TASK_PART, TASK_END = '<TASK>', '</TASK>'
# Of the backtraces that guest_src/hang.c asks the kernel for.
OF_CPUS = 'sysrq: Show backtrace of all active CPUs'
OF_CPU = 'NMI backtrace for cpu '
FUNCTION = re.compile(r'(?:^|[\s:])(\? )?([A-Za-z_][\w.]*)\+0x([0-9a-f]+)/0x[0-9a-f]+')
# The entry of an interrupt: what it interrupted comes after it.
INTERRUPT = 'asm_sysvec_'
REGISTER, KERNEL_REGISTER = 'RIP: ', 'RIP: 0010:'
# Of a frame in kvm.ko or kvm-intel.ko.
IN_KVM = '[kvm'
# More frames of one task are of no use to a reader.
MAX_FRAMES = 16
# How boot.py says that it ended a guest which did not go on.
SILENT = ('no console output', 'not done after')


# Gives [(function, "file:line")] of a function and an offset in it, the innermost inlined
# function first, [] if nothing is known of it.
Inlined = Callable[[str, int], Sequence[tuple[str, str]]]


@dataclasses.dataclass(frozen=True)
class Frame:
    """A function of a stack. offset: of the instruction that it came to; place: "file:line"."""

    name: str
    offset: int = 0
    place: str = ''


@dataclasses.dataclass(frozen=True)
class Hang:
    """why: how it ended; test, case: what ran, case '' if none had begun; stack: function names,
    the innermost first; changed: those of them that the series changes; places: the "file:line"
    of each function of the stack, '' where it is not known."""

    why: str
    test: str
    case: str
    stack: tuple[str, ...]
    changed: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def where(self) -> str:
        """What happened, and in which case."""
        silent = self.why.startswith(SILENT) or 'softlockup' in self.why
        case = f':{self.case}' if self.case else ''
        return f'{"hangs" if silent else "dies"} in {self.test}{case}'

    def lines(self) -> list[str]:
        """What to tell first, the stack after it."""
        marks = {name: '  <- changed by the series' for name in self.changed}
        return [f'the guest {self.where()}: {self.why}',
                *(f'  {name}{place and f" at {place}"}{marks.get(name, "")}'
                  for name, place in itertools.zip_longest(self.stack, self.places,
                                                           fillvalue=''))]


def frames(lines: Iterable[str]) -> list[Frame]:
    """The frames of a trace, without those that may be left over, nor those of an interrupt."""
    lines = list(lines)
    begin = next((number for number, line in enumerate(lines) if TASK_PART in line), 0)
    end = next((number for number, line in enumerate(lines) if TASK_END in line), len(lines))
    # The registers of the task itself are above its part.
    own = [line for line in lines[:begin] if KERNEL_REGISTER in line]
    found: list[Frame] = []
    for line in own[-1:] + lines[begin:end]:
        match = FUNCTION.search(line)
        if not match or match[1] or [frame.name for frame in found[-1:]] == [match[2]]:
            continue
        if match[2].startswith(INTERRUPT):
            found = []
            continue
        # A call returns to the instruction after it, which may be another function's.
        exact = not found or REGISTER in line
        found.append(Frame(match[2], int(match[3], 16) - (0 if exact else 1)))
    return found


def expanded(stack: Iterable[Frame], inlined: Inlined) -> list[Frame]:
    """The frames with the functions that the compiler put into those of the stack."""
    return [each for frame in stack for each in
            ([Frame(name, frame.offset, place) for name, place
              in inlined(frame.name, frame.offset)] or [frame])]


def stacks(console: ktap.Console) -> list[list[Frame]]:
    """The stacks that a console has, those in KVM first."""
    found: list[list[str]] = []
    for line in console.hang:
        if TASK.match(line):
            found.append([])
        elif found and (frame := FRAME.match(line)):
            found[-1].append(frame[1])
    log = [text for text, _ in console.log]
    if console.hang:
        found += cpu_traces(log)
    if console.panic:
        found.append(panic_trace(log))
    # The compiler puts small functions into their callers: then that of KVM tells the most.
    found.sort(key=lambda lines: not any(IN_KVM in line for line in lines))
    return [stack for stack in map(frames, found) if stack]


def cpu_traces(log: Sequence[str]) -> list[list[str]]:
    """The last backtrace of each CPU, as the kernel prints them on request."""
    begin = max((number for number, text in enumerate(log) if OF_CPUS in text), default=len(log))
    found: list[list[str]] = []
    for text in log[begin:]:
        if OF_CPU in text:
            found.append([])
        elif found:
            found[-1].append(text)
    return found


def panic_trace(log: Sequence[str]) -> list[str]:
    """The lines from the trace of a panic on: it comes after that of an oops, which led to it."""
    starts = [number for number, text in enumerate(log) if TRACE.match(text)]
    panic = max((number for number, text in enumerate(log) if ktap.PANIC.search(text)), default=0)
    cause = max((number for number, text in enumerate(log[:panic]) if CAUSE.search(text)),
                default=0)
    begin = next((number for after in (panic, cause) for number in starts if number >= after),
                 len(log))
    return list(log[begin:])


def running(console: ktap.Console, tests: Sequence[str]) -> str:
    """The test or step that runs when the console ends, of a group with these tests."""
    done = [test.result.name for test in console.tests]
    if 'load_kvm' not in done:
        return 'load_kvm'
    left = tests[len([name for name in done if name not in ktap.FRAME]):]
    return left[0] if left else 'unload_kvm'


def of(console: ktap.Console, tests: Sequence[str], why: str,
       changed: Collection[str] = (), inlined: Inlined = lambda name, offset: ()) -> Hang:
    """Where the guest hung. changed: names of the functions that the series changes."""
    found = [expanded(stack, inlined) for stack in stacks(console)]
    # The test's other threads wait for the one that KVM does not give back.
    chosen = next((stack for stack in found
                   if not set(changed).isdisjoint(frame.name for frame in stack)),
                  found[0] if found else [])[:MAX_FRAMES]
    names = tuple(frame.name for frame in chosen)
    return Hang(why, running(console, tests), console.run_case, names,
                tuple(name for name in dict.fromkeys(names) if name in changed),
                tuple(frame.place for frame in chosen))
