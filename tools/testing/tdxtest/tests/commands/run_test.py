# SPDX-License-Identifier: GPL-2.0-only
"""Tests of run --watch: it runs again after each change, until it is interrupted."""

import contextlib
import io
import tempfile
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS, Failure
from tdxtest.commands import run
from tdxtest.guest import watching


class Watch(unittest.TestCase):

    def test_until_interrupted(self):
        outcomes = [EXIT_FAIL, Failure('make failed: tdx.c:7: error'), EXIT_PASS]
        changes = [['a.c', 'b.c', 'c.c', 'd.c'], ['a.c'], KeyboardInterrupt()]
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), \
                mock.patch.object(run, 'run_once', side_effect=outcomes) as once, \
                mock.patch.object(watching, 'state', return_value={}), \
                mock.patch.object(watching, 'wait', side_effect=changes):
            # A second run could not have the folder if the first one kept it.
            status = program.main(['run', '--watch', '--build', folder, 'tdx_io_test'])
        self.assertEqual((status, once.call_count), (EXIT_PASS, 3))
        said = out.getvalue()
        self.assertIn('tdxtest: make failed: tdx.c:7: error', said)
        self.assertIn('changed: a.c, b.c, c.c and 1 more', said)
        self.assertEqual(said.count('waiting for a change'), 3)


class Output(unittest.TestCase):

    def test_results_have_standard_output_for_themselves(self):
        wanted = run.request.Request()
        self.assertIsNone(run.progress_of(wanted))
        for option in ('json', 'junit', 'lava', 'kcidb'):
            output = run.request.results.Output(**{option: '-'})
            shown = run.progress_of(run.request.Request(output=output))
            told = io.StringIO()
            with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
                run.progress_of(run.request.Request(output=output)).line('a step')
            self.assertEqual(told.getvalue(), 'a step\n')
            self.assertFalse(shown.terminal.live)
