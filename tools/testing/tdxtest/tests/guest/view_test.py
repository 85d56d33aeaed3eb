# SPDX-License-Identifier: GPL-2.0-only
"""Tests of view.py: what a person sees of a run, on terminals of several kinds."""

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unittest

from tdxtest.base import paths
from tdxtest.guest import view
from tdxtest.guest.request import Request, again

# A run of two guests, whose machines are programs that write a console.
PROGRAM = r'''
import os, sys, tempfile
from tdxtest.base.progress import Meter, Progress
from tdxtest.guest import boot, runs, view
from tdxtest.guest.request import ShowRequest
from tdxtest.tests.fakes import FakeMachine
from tdxtest.verdict import judging, results
times = int(sys.argv[2])
HEAD = f'times = {times}\nprint("KTAP version 1\\n1..{times + 1}\\nok 1 load_kvm", file=out)\n'
BODY = """
for again in range(times):
    print("  TAP version 13\\n  1..2", file=out)
    for n in (1, 2):
        print(f"  #  RUN           f.{name}{n} ...", file=out)
        time.sleep(0.4 / times)
        if name + str(n) == "b2" and again == times - 1:
            print("  # a_test.c:210:f:R10: wanted RETRY (0x1), got INVALID_OPERAND (0x8)", file=out)
            print(f"  not ok {n} f.{name}{n}", file=out)
        else:
            mark = " # XFAIL finding 3" if name == "a" else ""
            print(f"  ok {n} f.{name}{n}{mark}", file=out)
    if name == "b" and again == times - 1:
        print("# trace: tdx_seamcall_exit: TDH.VP.ENTER", file=out)
        print("not ok 2 a_test", file=out)
    else:
        print("ok 2 a_test", file=out)
print("[    1.0] reboot: Power down", file=out)
"""
shares = [[('a_test', ['-r', f'f.{name}1', '-r', f'f.{name}2'])] for name in 'ab']
progress = Progress()
show = ShowRequest(**eval(sys.argv[1]))
with tempfile.TemporaryDirectory() as folder:
    guests = []
    for name in 'ab':
        os.makedirs(os.path.join(folder, name))
        machine = FakeMachine(f'name = "{name}"\n' + HEAD + BODY)
        guests.append(boot.Guest(machine, os.path.join(folder, name), boot.Limits()))
    seen = view.View(progress, shares, lambda name: [], lambda test: f'run {test}', show, times)
    boot.run_step(progress, 'boot', 'two guests', guests, ['i'] * 2, None, 1, view=seen,
                  meter=Meter(seen.count, 'cases', seen.total))
    seen.conclude()
    judged = [(guest.console, guest.ended, {'a_test': [f'f.{name}1', f'f.{name}2']})
              for guest, name in zip(guests, 'ab')]
    verdict = judging.judge_all(judged, times=times)
    found = results.collect(judged, verdict, {'kernel': '7.3'})
    for line in view.summary(found, verdict.problems, verdict.notes, progress.terminal.columns()):
        progress.line(line)
    progress.line(verdict.summary)
'''


def on_terminal(columns, show='{}', times=1, **environ):
    """What PROGRAM writes to a terminal of so many columns if its test runs so many times."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    env = {**os.environ, 'TERM': 'xterm', 'PYTHONPATH': os.path.dirname(paths.HERE), **environ}
    env = {name: value for name, value in env.items() if value is not None}
    # Beside the launcher tdxtest.py the package of that name would not be found.
    with subprocess.Popen([sys.executable, '-c', PROGRAM, show, str(times)], cwd='/', env=env,
                          stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        data = b''
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError as e:
                if e.errno != errno.EIO:
                    raise
                break
            if not more:
                break
            data += more
        process.wait()
    os.close(ours)
    return data.decode()


def screen(data):
    """The lines that stay on a terminal after all that was drawn."""
    lines = []
    for line in data.replace('\r\n', '\n').split('\n'):
        lines.append(re.sub(r'\x1b\[[\d;]*m', '', line.split('\r\x1b[K')[-1]))
    return lines


class OnATerminal(unittest.TestCase):

    def test_at_80_and_200_columns(self):
        for columns in (80, 200):
            data = on_terminal(columns, NO_COLOR=None)
            drawn = [re.sub(r'\x1b\[[\d;]*m', '', part).split('\r\n')[0]
                     for part in data.split('\r\x1b[K')[1:]]
            self.assertTrue(any(re.match(r'boot \[#{5,15}\.+\], [1-3] of 4 cases, \d s', line)
                                for line in drawn), data)
            self.assertLess(max(len(line) for line in drawn if line.startswith('boot [')),
                            columns)
            self.assertTrue(any(re.search(r' cases, \d s, f\.[ab][12]$', line) for line in drawn),
                            drawn)
            lines = screen(data)
            self.assertFalse([line for line in lines if 'KTAP' in line or 'still at it' in line])
            at = lines.index('FAILED a_test:f.b2')
            self.assertEqual(lines[at + 1:at + 3],
                             ['    a_test.c:210:f:R10: wanted RETRY (0x1), got '
                              'INVALID_OPERAND (0x8)', '    again: run a_test:f.b2'])
            self.assertIn('    trace: tdx_seamcall_exit: TDH.VP.ENTER', lines)
            row = next(line for line in lines if line.startswith('a_test: '))
            self.assertRegex(row, r'^a_test: 1 passed, 1 failed, 2 expected to fail, \d\.\d s$')
            self.assertIn('\x1b[31ma_test', data)
            self.assertEqual(lines[-2],
                             'FAIL: 1 passed, 1 failed, 0 skipped, 2 xfail, 1 problem(s)')

    def test_repetitions(self):
        data = on_terminal(100, times=3)
        lines = screen(data)
        self.assertIn('FAILED a_test:f.b2, repetition 3 of 3', lines)
        self.assertIn('again: run a_test:f.b2', '\n'.join(lines))
        row, = [line for line in lines if line.startswith('a_test: ')]
        self.assertRegex(row, r'^a_test: 5 passed, 1 failed, 6 expected to fail, \d\.\d s$')
        self.assertIn('of 12 cases', data)
        self.assertIn('  guest 2: repetition 3 of 3: a_test: not ok: f.b2 (', '\n'.join(lines))

    def test_no_colour(self):
        self.assertNotIn('\x1b[3', on_terminal(80, NO_COLOR='1'))

    def test_dumb(self):
        data = on_terminal(80, TERM='dumb')
        self.assertNotIn('\x1b', data)
        self.assertNotIn('\r', data.replace('\r\n', '\n'))
        lines = screen(data)
        self.assertIn('FAILED a_test:f.b2', lines)
        self.assertTrue(any('boot: two guests' in line for line in lines))

    def test_less(self):
        lines = screen(on_terminal(80, '{"failed": True}'))
        self.assertIn('FAILED a_test:f.b2', lines)
        lines = screen(on_terminal(80, '{"summary": True}'))
        self.assertFalse([line for line in lines if line.startswith(('FAILED', 'a_test'))], lines)
        self.assertTrue(any(line.startswith('FAIL: ') for line in lines))


class Summary(unittest.TestCase):

    def test_ten_lines(self):
        cases = [{'name': f'f.{n}', 'seconds': n} for n in range(9)]
        run = {'tests': [{'name': 'a_test', 'cases': cases}]}
        lines = view.summary(run, [f'a_test: not ok: f.{n}' + 'x' * 99 for n in range(30)],
                             ['n'], 80)
        self.assertEqual(len(lines) + 2, view.SUMMARY_LINES)
        self.assertEqual(lines[0], 'slowest: 8.0 s a_test:f.8')
        self.assertEqual(lines[-1], '  and 27 more, see results.json in the build folder')
        self.assertLess(max(map(len, lines)), 80)
        self.assertEqual(view.summary({'tests': []}, [], ['a note'], 80), ['  a note'])


class Again(unittest.TestCase):

    def test_the_same_run(self):
        self.assertEqual(again(Request(), 'a_test:f.x'), 'tdxtest.py run a_test:f.x')
        wanted = Request().with_build(kernel='7.2', patches=('fixes/1.patch',), debug=True)
        wanted = wanted.with_boot(cpus=2, trace=200, environment=(('A', 'b'),))
        self.assertEqual(again(wanted, "a_test:f x"),
                         'tdxtest.py run --kernel 7.2 --cpus 2 --patch fixes/1.patch --env A=b '
                         "--debug --trace -- 'a_test:f x'")
        self.assertEqual(again(Request().with_boot(repeat=50), 'a_test'),
                         'tdxtest.py run --repeat 50 a_test')
