# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the isolated apt state."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base import apt
from tdxtest.base.failure import Failure, UsageError


class Isolated(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.state = apt.IsolatedApt(self.folder, 'http://mirror.example.net/debian')

    def test_it_touches_nothing_of_the_system(self):
        """The locks of dpkg lie beside the status file: not in /dev, of which it once was one."""
        paths = [word.split('=', 1)[1] for word in self.state.options if '=/' in word]
        self.assertGreater(len(paths), 5)
        self.assertEqual([p for p in paths if not p.startswith(self.folder + '/')], [])
        self.assertTrue(os.path.isfile(os.path.join(self.folder, 'dpkg', 'status')))

    def check_update(self, output, wanted):
        path = os.path.join(self.folder, 'log.failed')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(output)
        failure = Failure('reading the package lists failed: E: x is not signed.', path)
        with mock.patch.object(apt.command, 'run', side_effect=failure), \
                self.assertRaisesRegex(Failure, wanted):
            self.state.update('log', lambda line: None)

    def test_an_old_keyring(self):
        for said in ('W: GPG error: x InRelease: NO_PUBKEY 0123456789ABCDEF\n',
                     '  Sub-process /usr/bin/sqv: Missing key 0123456789ABCDEF, which is needed\n'):
            self.check_update(said, 'does not have the keys that sign http://mirror.example.net/'
                              'debian; install a newer debian-archive-keyring')

    def test_no_network(self):
        self.check_update('E: Failed to fetch x\n', 'is there a network, .* MIRROR=URI gives')


class Mirror(unittest.TestCase):
    def test_the_main_archive(self):
        self.assertEqual(apt.choose_mirror([
            'https://apt.example.org/|bookworm|Example|Example|main',
            'http://deb.example.net/debian-security/|bookworm-security|Debian|Debian-Security|main',
            'http://deb.example.net/debian/|bookworm|Debian|Debian|main',
        ]), 'http://deb.example.net/debian/')

    def test_before_the_first_update(self):
        self.assertEqual(apt.choose_mirror([
            'cdrom:[Debian 13]/|trixie|||main',
            'https://apt.example.org/|nodistro|||main',
            'mirror+file:/etc/apt/mirrors/debian.list|trixie|||main',
        ]), 'mirror+file:/etc/apt/mirrors/debian.list')

    def test_another_calls_its_suite_stable_too(self):
        self.assertEqual(apt.choose_mirror([
            'https://dl.example.com/browser/deb/|stable|||main',
            'http://mirror.example.net/debian/|stable|||main',
        ]), 'http://mirror.example.net/debian/')

    def test_the_lists_were_never_read(self):
        printed = """
'cdrom://Debian13/dists/trixie/main/binary-amd64/Packages.xz' x 0
'https://x.example.com/a/././Packages.xz' x 0
'http://deb.example.net/debian-security/dists/trixie-security/main/binary-amd64/Packages.xz' x 0
'http://deb.example.net/debian/dists/trixie/InRelease' x 0
'http://deb.example.net/debian/dists/trixie/main/source/Sources.xz' x 0
'http://deb.example.net/debian/dists/trixie/main/binary-amd64/Packages.xz' x 0
"""
        with mock.patch.object(apt.command, 'output', side_effect=['', printed]):
            self.assertEqual(apt.system_mirror(), 'http://deb.example.net/debian/')
        printed = printed.replace('/trixie', '/noble')
        with mock.patch.object(apt.command, 'output', side_effect=['', printed]), \
                self.assertRaisesRegex(UsageError, 'give one, .* as MIRROR=http://HOST/debian; '):
            apt.system_mirror()

    def test_none(self):
        self.assertEqual(apt.choose_mirror([
            'http://archive.example.com/ubuntu/|noble|Ubuntu|Ubuntu|main',
            'http://archive.example.com/ubuntu/|noble|||main',
        ]), '')
        self.assertEqual(apt.choose_mirror(['https://apt.example.org/|stable|X|X|stable']), '')

    def test_versions_are_numbers(self):
        self.assertLess(apt.version_key('2.7+dfsg-4')[:2], (2, 8))
        self.assertGreater(apt.version_key('2.10-1')[:2], (2, 8))
        self.assertEqual(apt.version_key('1:3.0+dfsg-1')[:2], (3, 0))
