# SPDX-License-Identifier: GPL-2.0-only
"""Tests of terminal.py and progress.py: what a terminal shows, and what a pipe gets."""

import io
import json
import os
import tempfile
import time
import unittest

from tdxtest.base import progress, terminal


class Screen(io.StringIO):
    """A terminal that keeps all that was printed."""

    def isatty(self):
        return True


class Lines(unittest.TestCase):

    def test_status_line(self):
        line = terminal.status_line(80, 'build', 'CC arch/x86/kvm/x86.o', 0.5, '5 of 10 objects',
                                    '3 s of about 6 s')
        self.assertEqual(line, 'build [##########..........], 5 of 10 objects, 3 s of about 6 s, '
                               'CC arch/x86/kv')
        self.assertEqual(len(line), 79)
        wide = terminal.status_line(200, 'build', 'CC arch/x86/kvm/x86.o', None, '', '3 s')
        self.assertEqual(wide, 'build 3 s, CC arch/x86/kvm/x86.o')
        self.assertEqual(terminal.status_line(30, 'boot', 'x' * 99, 0.5, '1 of 2 cases', '9 s'),
                         'boot 1 of 2 cases, 9 s')

    def test_bar(self):
        for share, full in ((0, 0), (0.26, 5), (1, 20), (7, 20), (-1, 0)):
            self.assertEqual(terminal.share_bar(share), f'[{"#" * full}{"." * (20 - full)}]')

    def test_what_a_terminal_can(self):
        for out, environ, person, live, colour in (
                (io.StringIO(), {'TERM': 'xterm'}, False, False, False),
                (Screen(), {'TERM': 'xterm'}, True, True, True),
                (Screen(), {'TERM': 'xterm', 'NO_COLOR': '1'}, True, True, False),
                (Screen(), {'TERM': 'xterm', 'NO_COLOR': ''}, True, True, True),
                (Screen(), {'TERM': 'dumb'}, True, False, False),
                (Screen(), {}, True, False, False)):
            made = terminal.Terminal(out, environ)
            self.assertEqual((made.person, made.live, made.colour), (person, live, colour), environ)
            self.assertEqual('\x1b' in made.paint('x', 'red'), colour)

    def test_no_more_than_a_line_is_drawn(self):
        out = Screen()
        made = terminal.Terminal(out, {'TERM': 'xterm'})
        made.draw('x' * 999)
        self.assertEqual(out.getvalue().count('x'), made.columns() - 1)

    def test_drawn_and_printed(self):
        out = Screen()
        made = terminal.Terminal(out, {'TERM': 'xterm'})
        made.draw('live')
        made.draw('live')
        made.print('stays')
        made.draw('')
        self.assertEqual(out.getvalue(), '\r\x1b[Klive\r\x1b[Kstays\n\r\x1b[Klive\r\x1b[K')


class Steps(unittest.TestCase):

    def test_not_on_a_terminal(self):
        out = io.StringIO()
        shown = progress.Progress(out)
        with shown.step('build', 'all of it', meter=progress.Meter(lambda: 1, 'objects')):
            pass
        self.assertRegex(out.getvalue(),
                         r'^\[ .*\] build: all of it\n\[ .*\] build: done in .* s\n$')
        self.assertNotIn('\r', out.getvalue())

    def test_on_a_terminal(self):
        out = Screen()
        shown = progress.Progress(out)
        shown.terminal = terminal.Terminal(out, {'TERM': 'xterm', 'NO_COLOR': '1'})
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'steps.json')
            with open(path, 'w', encoding='utf-8') as f:
                json.dump({'build': [40.0, 8]}, f)
            shown.remember(path)
            with shown.step('build', 'all', lambda: 'CC a.o', progress.Meter(lambda: 2, 'objects')):
                time.sleep(1.2)
            self.assertIn('\r\x1b[Kbuild [#####...............], 2 of 8 objects, '
                          '0 s of about 40 s, CC a.o', out.getvalue())
            self.assertRegex(out.getvalue(), r'build: all, 1\.\d s\n$')
            with open(path, encoding='utf-8') as f:
                self.assertEqual(json.load(f)['build'][1], 2)

    def test_nothing_is_drawn_where_sudo_may_ask(self):
        out = Screen()
        shown = progress.Progress(out)
        shown.terminal = terminal.Terminal(out, {'TERM': 'xterm'})
        with shown.step('apt', 'installing', asks=True):
            time.sleep(1.2)
        self.assertNotIn('\x1b', out.getvalue())

    def test_lines_of_a_log(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'log')
            with open(path, 'w', encoding='utf-8') as f:
                f.write('  CC      old.o\n')
            count = progress.LogLines(path)
            with open(path, 'a', encoding='utf-8') as f:
                f.write('make: x\n  CC      a.o\n  LD [M]  b.ko\ngcc -c x.c\n  AR  c')
                f.flush()
                self.assertEqual(count(), 3)
                f.write('.a\n')
                f.flush()
                self.assertEqual(count(), 4)
        self.assertEqual(progress.LogLines('/nowhere/log')(), 0)
