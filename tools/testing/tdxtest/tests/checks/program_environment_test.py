# SPDX-License-Identifier: GPL-2.0-only
"""A program that inherits the tool's environment is found."""

import unittest

from tdxtest.checks.program_environment import inherits


class Environment(unittest.TestCase):
    def test_given(self):
        self.assertEqual(list(inherits(
            'subprocess.run(argv, env=command.environment())\n'
            'subprocess.Popen(argv, env={})\nself.run(argv)\nsubprocess.list2cmdline(argv)\n')), [])

    def test_inherited(self):
        for call in ('subprocess.run', 'subprocess.Popen', 'os.system', 'pty.spawn'):
            self.assertEqual(list(inherits(f'x = 1\ndef f():\n    return {call}(argv)\n')),
                             [(3, f'{call}()')])
