# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the build folder: its name, and room for temporary files."""

import collections
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from tdxtest.base import build_folder
from tdxtest.base.failure import UsageError

Usage = collections.namedtuple('Usage', 'total used free')


class Name(unittest.TestCase):
    def test_a_kernel_can_be_built(self):
        for path in ('/srv/a-b/c.d', '/srv/a+b,c@d~1', '/srv/\N{LATIN SMALL LETTER E WITH ACUTE}'):
            build_folder.check_name(path)

    def test_no_kernel_can_be_built(self):
        for what in " :'#$%\n":
            with self.assertRaises(UsageError) as caught:
                build_folder.check_name(f'/srv/my{what}tests/build')
            self.assertIn(f'takes no path with {what!r} in it; set BUILD= to a folder without',
                          str(caught.exception))

    def test_what_a_link_leads_to_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, 'a b'))
            link = os.path.join(folder, 'link')
            os.symlink('a b', link)
            with self.assertRaises(UsageError):
                build_folder.check_name(os.path.join(link, 'build'))


class Room(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.room = os.path.join(self.folder, 'tmp')
        self.enterContext(mock.patch.dict(os.environ))
        self.enterContext(mock.patch.object(tempfile, 'tempdir', tempfile.tempdir))

    def test_enough_is_left_as_it_is(self):
        before = os.environ.get('TMPDIR')
        with mock.patch.object(shutil, 'disk_usage', lambda path: Usage(0, 0, 1 << 40)):
            build_folder.make_room(self.room)
        self.assertEqual(os.environ.get('TMPDIR'), before)
        self.assertFalse(os.path.exists(self.room))

    def check_moved(self):
        build_folder.make_room(self.room)
        script = 'import tempfile; print(tempfile.gettempdir())'
        said = subprocess.run([sys.executable, '-c', script],
                              text=True, capture_output=True, check=True).stdout
        self.assertEqual((said.strip(), tempfile.gettempdir()), (self.room, self.room))

    def test_too_little(self):
        with mock.patch.object(shutil, 'disk_usage', lambda path: Usage(1 << 20, 0, 1 << 20)):
            self.check_moved()

    def test_none(self):
        with mock.patch.object(tempfile, 'gettempdir', side_effect=[FileNotFoundError, self.room]):
            self.check_moved()
