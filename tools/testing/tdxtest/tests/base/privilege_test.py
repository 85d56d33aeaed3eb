# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of commands as root, with a script in the place of sudo."""

import os
import sys
import tempfile
import unittest
from unittest import mock

from tdxtest.base import apt, command, privilege
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress

# A sudo that knows one person, without a password, after one, or never.
SUDO = '''#!/bin/sh
case "$1" in
-n) [ -e {folder}/knows ] || {{ echo "sudo: a password is required" >&2; exit 1; }} ;;
-v) [ -e {folder}/asks ] && touch {folder}/knows || exit 1 ;;
*) exec "$@" ;;
esac
'''
# What it is told is in the file "said". The first goes hold a lock in the way.
APT_GET = '''#!/bin/sh
echo "$DEBIAN_FRONTEND $HTTP_PROXY$http_proxy $*" >> {folder}/said
if [ -s {folder}/locked ]; then
	sed -i 1d {folder}/locked
	echo "E: Could not get lock {folder}/lock. It is held by process 1 (apt)" >&2
	exit 100
fi
case "$*" in
*update*) [ ! -e {folder}/offline ] || {{ echo "E: The repository x is not signed." >&2; exit 100; }} ;;
*) [ ! -e {folder}/absent ] || {{ echo "E: Unable to locate package bc" >&2; exit 100; }} ;;
esac
'''
PACKAGES = {'bc': 'counts', 'flex': 'splits'}


class Machine(unittest.TestCase):
    """A machine of the programs above, where the person is not root."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(mock.patch.object(privilege, 'is_root', lambda: False))
        self.enterContext(mock.patch.object(privilege, 'has_terminal', lambda: True))
        self.enterContext(mock.patch.object(apt, 'LOCK_POLL_S', 0))
        self.program('sudo', SUDO)
        self.program('apt-get', APT_GET)
        path = f'{self.folder}:{os.environ["PATH"]}'
        self.enterContext(mock.patch.dict(os.environ, {'PATH': path}))
        self.lines = []
        self.progress = Progress(out=self)

    def write(self, text):
        """What Progress prints."""
        self.lines.append(text)

    def flush(self):
        """As of a file."""

    def program(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text.format(folder=self.folder))
        os.chmod(path, 0o755)

    def has(self, name, text=''):
        with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def install(self):
        apt.install(PACKAGES, self.progress, os.path.join(self.folder, 'log'))

    def said(self):
        with open(os.path.join(self.folder, 'said'), encoding='utf-8') as f:
            return f.read().splitlines()


class Refusals(Machine):
    def test_sudo_without_a_password(self):
        self.has('knows')
        self.assertEqual(privilege.refusal(), '')

    def test_sudo_asks(self):
        self.has('asks')
        self.assertEqual(privilege.refusal(), '')

    def test_sudo_does_not_know_the_person(self):
        self.assertEqual(privilege.refusal(), 'sudo refuses')

    def test_no_terminal(self):
        self.has('asks')
        with mock.patch.object(privilege, 'has_terminal', lambda: False):
            self.assertEqual(privilege.refusal(), 'there is no terminal where sudo can ask for a '
                             'password (sudo: a password is required)')

    def test_no_sudo(self):
        with mock.patch.dict(os.environ, {'PATH': '/nowhere'}):
            self.assertEqual(privilege.refusal(), 'there is neither root nor sudo')

    def test_what_root_must_run_is_told(self):
        with self.assertRaisesRegex(UsageError, 'sudo refuses; run as root: apt-get update && '
                                    'apt-get install --no-install-recommends bc flex$'):
            self.install()

    def test_no_apt(self):
        with mock.patch.dict(os.environ, {'PATH': '/nowhere'}), self.assertRaisesRegex(
                UsageError, 'no apt-get; install what Debian has in these packages: bc flex$'):
            self.install()


class Installs(Machine):
    def setUp(self):
        super().setUp()
        self.has('knows')

    def test_what_sudo_removes_is_given_again(self):
        with mock.patch.dict(os.environ, {'http_proxy': 'http://[::1]:3128'}):
            self.install()
        update, install = self.said()
        self.assertRegex(update, r'^noninteractive http://\[::1\]:3128 update ')
        self.assertRegex(install, 'install .* bc flex$')

    def test_a_lock_is_waited_for(self):
        self.has('locked', '1\n2\n')
        self.install()
        self.assertEqual(len(self.said()), 4)
        waits = [line for line in self.lines if 'waiting' in line]
        self.assertEqual(len(waits), 1, self.lines)
        self.assertIn(f'Could not get lock {self.folder}/lock', waits[0])

    def test_a_lock_is_not_waited_for_for_ever(self):
        self.has('locked', '1\n2\n3\n4\n')
        with mock.patch.object(apt, 'LOCK_PATIENCE_S', -1), self.assertRaisesRegex(
                Failure, 'apt-get install failed: E: Could not get lock'):
            self.install()

    def test_a_source_of_something_else_may_be_broken(self):
        self.has('offline')
        self.install()
        self.assertIn('note: apt-get update failed: E: The repository x', ''.join(self.lines))

    def test_both_reasons_are_told(self):
        self.has('offline')
        self.has('absent')
        with self.assertRaisesRegex(Failure, 'apt-get install failed: E: Unable to locate package '
                                    'bc .*; before it, apt-get update failed: E: The repository'):
            self.install()


class Sessions(unittest.TestCase):
    def test_a_program_in_our_session(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'out')
            for kept in (True, False):
                command.run([sys.executable, '-c', 'import os; print(os.getsid(0))'],
                            os.path.join(folder, 'log'), stdout=out, in_session=kept)
                with open(out, encoding='ascii') as f:
                    self.assertEqual(int(f.read()) == os.getsid(0), kept)
