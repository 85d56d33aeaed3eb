# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of where the emulator comes from."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base import command
from tdxtest.base.failure import Failure
from tdxtest.guest.machines import bochs

NONE = Failure('no network')


class Bochs(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.build = mock.Mock()
        self.build.path = lambda *parts: os.path.join(self.folder, *parts)

    def prepare(self, unpacks, system=''):
        """The Installation where unpack() does what it is told. system: what dpkg-query says."""
        with mock.patch.object(bochs.Bochs, 'unpack', side_effect=[unpacks]), \
                mock.patch.object(command, 'output', lambda *_, **__: system):
            return bochs.MACHINE.prepare(self.build)

    def test_the_own_build_comes_first(self):
        own = bochs.Installation('root', '3.0')
        self.assertEqual(self.prepare(own, 'install ok installed 3.1+dfsg-1'), own)

    def test_it_is_unpacked_once(self):
        os.makedirs(self.build.path('bochs'))
        with open(self.build.path('bochs', 'version'), 'w', encoding='utf-8') as f:
            f.write('3.0+dfsg-1\n')
        self.assertEqual(self.prepare(NONE),
                         bochs.Installation(self.build.path('bochs'), '3.0+dfsg-1'))

    def test_the_systems_own_where_the_other_cannot_be_had(self):
        found = self.prepare(NONE, 'install ok installed 2.8+dfsg-1')
        self.assertEqual(found, bochs.Installation('', '2.8+dfsg-1'))
        self.build.progress.say.assert_called_once_with(
            "note: no network; taking the system's Bochs 2.8+dfsg-1")

    def test_none_is_left(self):
        for system in ('', 'install ok installed 2.7+dfsg-4', 'deinstall ok config-files 3.0'):
            with self.assertRaisesRegex(Failure, 'no network'):
                self.prepare(NONE, system)
