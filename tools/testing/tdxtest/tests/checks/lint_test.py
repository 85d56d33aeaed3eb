# SPDX-License-Identifier: GPL-2.0-only
"""What a checker of Python says is passed on, and its own failure too."""

import os
import shutil
import tempfile
import unittest

from tdxtest.base.failure import Failure
from tdxtest.checks import lint, type_hints

SOURCE = '''"""A module."""

import os


def double(number: int) -> str:
    return number * 2
'''


class Messages(unittest.TestCase):
    def said(self, *words):
        return list(lint.messages(['sh', '-c', *words]))

    def test_lines_without_heads(self):
        self.assertEqual(self.said('echo "*** Module a"; echo; echo "a.py:1: wrong"; exit 4'),
                         ['a.py:1: wrong'])

    def test_content(self):
        self.assertEqual(self.said('echo "*** Module a"'), [])

    def test_the_checker_fails(self):
        self.assertEqual(self.said('echo "no such option" >&2; exit 32'),
                         ['sh ended with 32: no such option'])

    def test_no_checker(self):
        with self.assertRaisesRegex(Failure, 'no-such-checker is not there'):
            list(lint.messages(['no-such-checker']))


class Config(unittest.TestCase):
    """The real checkers with the real settings, on a file with a defect."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        with open(os.path.join(self.folder, 'seeded.py'), 'w', encoding='utf-8') as f:
            f.write(SOURCE)

    @unittest.skipUnless(shutil.which('pylint'), 'pylint is not here')
    def test_pylint(self):
        said, = lint.messages(['pylint', '--rcfile', lint.CONFIG, '--score=no', 'seeded'],
                              self.folder)
        self.assertIn('unused-import', said)

    @unittest.skipUnless(shutil.which('mypy'), 'mypy is not here')
    def test_mypy(self):
        said, = lint.messages(['mypy', '--config-file', type_hints.CONFIG, '--no-error-summary',
                               'seeded.py'], self.folder)
        self.assertIn('Incompatible return value type', said)
