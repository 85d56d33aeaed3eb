# SPDX-License-Identifier: GPL-2.0-only
"""What stands in for machines and builds in several tests."""

import io
import os
import sys
import types
from unittest import mock

from tdxtest.base.progress import Progress
from tdxtest.guest import runs, stages
from tdxtest.guest.request import Request


def built(*, suite=None, kernel=None, **wanted):
    """A Built of which only what is given is there; wanted: fields of a BootRequest."""
    build = types.SimpleNamespace(folder=os.path.join, progress=Progress(io.StringIO()))
    work = mock.Mock()
    work.source.name = 'x'
    return stages.Built(Request().with_boot(**wanted), build, work, kernel, suite)


def run(results, **wanted):
    """The GuestRun that had some results."""
    made = built(**wanted)
    return runs.GuestRun(made.request, made.build, None, (), results, made)


class FakeMachine:
    """A machine whose guest is a Python program that writes the console."""

    name = 'fake'
    guest_exits = ()

    def __init__(self, program):
        self.program = program

    def prepare(self, _build):
        return None

    def command(self, _installation, folder, _image, com, _cpus):
        text = f'import os, sys, time\nout = open({com[1]!r}, "w", buffering=1)\n' + self.program
        return [sys.executable, '-c', text], {}


GOOD = '''
print("KTAP version 1\\n1..1\\n  1..1\\n  ok 1 f.t\\nok 1 a_test", file=out)
print("[    1.0] reboot: Power down", file=out)
'''
STARTED = 'print("KTAP version 1\\n1..2\\n  1..1\\n  ok 1 f.t\\nok 1 a_test", file=out)\n'
