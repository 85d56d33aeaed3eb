# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of Debian roots: what can be known without making one."""

import json
import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base import root

MOUNTINFO = r'''22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 28 0:5 / /build/roots/trixie/dev rw shared:9 - devtmpfs udev rw
41 28 254:1 /x /build\040folder/roots/a\134b rw - ext4 /dev/vda1 rw
42 28 254:1 /y /build/roots/trixie-2 rw - ext4 /dev/vda1 rw
'''


class Mounts(unittest.TestCase):
    def test_below_a_root(self):
        self.assertEqual(root.mounts_below('/build/roots/trixie', MOUNTINFO),
                         ['/build/roots/trixie/dev'])

    def test_on_the_root(self):
        self.assertEqual(root.mounts_below('/build/roots/trixie-2', MOUNTINFO),
                         ['/build/roots/trixie-2'])

    def test_with_characters_that_are_escaped(self):
        self.assertEqual(root.mounts_below('/build folder/roots', MOUNTINFO),
                         ['/build folder/roots/a\\b'])

    def test_none(self):
        self.assertEqual(root.mounts_below('/build/roots/tri', MOUNTINFO), [])


class Rights(unittest.TestCase):
    def told(self, uid, programs, function):
        with mock.patch('os.geteuid', return_value=uid), \
             mock.patch('shutil.which',
                        side_effect=lambda name: name if name in programs else None):
            return function()

    def privileged(self, uid, programs):
        return self.told(uid, programs, lambda: root.privileged(['mount']))

    def test_root_needs_nothing(self):
        self.assertEqual(self.privileged(0, ()), ['mount'])

    def test_sudo_comes_first(self):
        argv = self.privileged(1000, ('sudo', 'newuidmap'))
        self.assertEqual((argv[0], argv[-1]), ('sudo', 'mount'))

    def test_a_user_namespace_else(self):
        self.assertEqual(self.privileged(1000, ('newuidmap',)),
                         [*root.AS_ROOT_OF_USER, 'mount'])

    def test_none(self):
        why = self.told(1000, (), root.unavailable)
        self.assertEqual(why, 'there is neither root nor sudo, nor newuidmap of the package uidmap')


class Kept(unittest.TestCase):
    FACTS = {'suite': 'trixie', 'packages': ['gcc'], 'mirror': 'http://m/debian'}

    def is_made(self, text, facts, age=0):
        with tempfile.TemporaryDirectory() as folder:
            stamp = os.path.join(folder, 'trixie.json')
            with open(stamp, 'w', encoding='utf-8') as f:
                f.write(text)
            then = os.path.getmtime(stamp) - age
            os.utime(stamp, (then, then))
            return root.is_made(stamp, facts)

    def test_the_same(self):
        self.assertTrue(self.is_made(json.dumps(self.FACTS), self.FACTS))

    def test_other_packages(self):
        self.assertFalse(self.is_made(json.dumps(self.FACTS), {**self.FACTS, 'packages': []}))

    def test_too_old(self):
        self.assertFalse(self.is_made(json.dumps(self.FACTS), self.FACTS, root.MAX_AGE_S + 1))

    def test_half_written(self):
        self.assertFalse(self.is_made('{', self.FACTS))

    def test_not_there(self):
        self.assertFalse(root.is_made('/nowhere/trixie.json', self.FACTS))


class Proxies(unittest.TestCase):
    def test_of_apt(self):
        dump = ('Acquire "";\nAcquire::http::Proxy "http://p:3128";\n'
                'Acquire::https::Proxy "";\nAcquire::Retries "3";\n')
        self.assertEqual(root.proxies(dump), ['Acquire::http::Proxy "http://p:3128";'])
