# SPDX-License-Identifier: GPL-2.0-only
"""How the tool ends as a program, whatever it is ended by."""

import argparse
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

from tdxtest.base import discovery
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS
from tdxtest.base.paths import HERE, TOOL
from tdxtest.verdict import results

# The program, with something else in the place of the command "build".
PROGRAM = '''
import os, signal, sys
sys.path.insert(0, {above!r})
from tdxtest import program
from tdxtest.base import command
from tdxtest.commands import build
def run(args):
{body}
build.run = run
signal.signal(signal.SIGHUP, signal.{hangup})
sys.exit(program.run_program(['build']))
'''


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def run_with(self, body, hangup='SIG_DFL', closed=''):
        """(exit status, standard error) of the program with the command `body`.

        closed: redirections of the shell that starts it.
        """
        text = PROGRAM.format(above=os.path.dirname(HERE), hangup=hangup,
                              body=textwrap.indent(textwrap.dedent(body), '    '))
        done = subprocess.run(['sh', '-c', f'exec "$@" {closed}', 'sh', sys.executable, '-B', '-c',
                               text], cwd=self.folder, text=True, capture_output=True, check=False,
                              timeout=60)
        return done.returncode, done.stderr

    def shell(self, script):
        """(exit status, standard error) of a shell script, in which "$@" is the tool."""
        done = subprocess.run(['sh', '-c', script, 'sh', sys.executable, TOOL], text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stderr


class Signals(Program):
    def test_children_end_with_the_tool(self):
        for name in ('TERM', 'HUP'):
            for how in ("run(words, 'log')", 'output(words)'):
                status, said = self.run_with(f'''
                    script = 'echo $$ > pid; sleep .5; kill -{name} $PPID; exec sleep 60'
                    words = ['sh', '-c', script]
                    command.{how}
                    ''')
                self.assertEqual(status, EXIT_NOT_RUN, said)
                self.assertIn(f'tdxtest: ended by SIG{name}; the next run', said)
                with open(os.path.join(self.folder, 'pid'), encoding='ascii') as f:
                    with self.assertRaises(ProcessLookupError):
                        os.kill(int(f.read()), 0)

    def test_guests_end_with_the_tool(self):
        """The guests of groups are followed by threads, which get no signal."""
        status, said = self.run_with('''
            import os, threading
            from tdxtest.guest import groups
            from tdxtest.tests.fakes import STARTED, FakeMachine, built
            class Machine(FakeMachine):
                def prepare(self, build):
                    threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM)).start()
            program = 'open(f"pid{os.getpid()}", "w").close(); time.sleep(60)'
            runner = groups.Runner(built(machine=Machine(STARTED + program)), 'try', (), 1)
            def folder(*names):
                path = os.path.join(os.getcwd(), *names)
                os.makedirs(path, exist_ok=True)
                return path
            runner.built.build.folder = folder
            runner._image = lambda folder, share: 'image'
            runner.run([[groups.Group(name, (), (('a_test', []),))] for name in 'ab'])
            ''')
        self.assertEqual(status, EXIT_NOT_RUN, said)
        self.assertIn('tdxtest: ended by SIGTERM; the next run', said)
        pids = [int(name.removeprefix('pid')) for _, _, names in os.walk(self.folder)
                for name in names if name.startswith('pid')]
        self.assertEqual(len(pids), 2)
        for pid in pids:
            with self.assertRaises(ProcessLookupError):
                os.kill(pid, 0)

    def test_the_next_signal_does_not_cut_the_clean_up(self):
        status, said = self.run_with('''
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGHUP)
                open('clean', 'w').close()
            ''')
        self.assertEqual(status, EXIT_NOT_RUN, said)
        self.assertIn('ended by SIGTERM', said)
        self.assertTrue(os.path.exists(os.path.join(self.folder, 'clean')))

    def test_nohup(self):
        status, said = self.run_with('os.kill(os.getpid(), signal.SIGHUP); return 0',
                                     hangup='SIG_IGN')
        self.assertEqual(status, EXIT_PASS, said)


class Ends(Program):
    def test_a_defect_of_the_tool_is_no_failed_test(self):
        status, said = self.run_with('raise KeyError("x")')
        self.assertEqual(status, EXIT_NOT_RUN, said)
        self.assertIn('Traceback', said)
        self.assertRegex(said.splitlines()[-1],
                         r"^tdxtest: this tool failed: KeyError: 'x' \(<string>:\d+\)$")

    def test_bytes_that_are_no_text(self):
        console = b'KTAP version 1\n1..1\n  1..1\n  ok 1 f.t # \xff\nok 1 a_test\n'
        done = subprocess.run([sys.executable, TOOL, 'parse', '--json', 'r.json', '-'],
                              cwd=self.folder, input=console, capture_output=True, check=False,
                              env={**os.environ, 'LC_ALL': 'C'})
        self.assertEqual((done.returncode, done.stderr), (EXIT_FAIL, b''))
        [run] = results.load(os.path.join(self.folder, 'r.json'))
        self.assertEqual(run['tests'][0]['cases'][0]['note'], '\N{REPLACEMENT CHARACTER}')

    def test_no_file_is_in_the_place_of_a_closed_one(self):
        for closed in ('0<&-', '2>&-', '0<&- 2>&-'):
            status, _ = self.run_with('return os.open("/dev/null", os.O_RDONLY) <= 2',
                                      closed=closed)
            self.assertEqual(status, EXIT_PASS, closed)

    def test_standard_output_is_closed(self):
        for words in ('list', 'bisect no_such_test'):
            self.assertEqual(self.shell(f'"$@" {words} >&-'),
                             (EXIT_NOT_RUN, 'tdxtest: standard output is closed\n'))

    def test_standard_output_is_full(self):
        status, said = self.shell('unset PYTHONUNBUFFERED; "$@" list >/dev/full')
        self.assertEqual((status, said),
                         (EXIT_NOT_RUN, 'tdxtest: standard output: No space left on device\n'))


class Commands(unittest.TestCase):
    def test_a_file_is_named_as_its_command(self):
        for name, module in discovery.modules('commands').items():
            with self.subTest(command=name):
                parsers = argparse.ArgumentParser().add_subparsers()
                module.add_parser(parsers)
                self.assertEqual(list(parsers.choices), [name.replace('_', '-')])
                self.assertTrue(callable(module.run))
