# SPDX-License-Identifier: GPL-2.0-only
"""The check of the kselftest tarball goes red for each thing that it asks."""

import os
import tempfile
import unittest

from tdxtest.checks import kselftest_tarball

GOOD = 'echo "1..0 # SKIP - KVM does not offer TDs"; exit 4'
RUNNER = '''echo TAP version 13; echo 1..2
echo "# timeout set to 120"; echo "# selftests: kvm: a_test"
echo "ok 1 selftests: kvm: a_test # SKIP"; echo "ok 2 selftests: kvm: b_test # SKIP"'''


class Tarball(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        for name in ('a_test', 'b_test'):
            self.script(f'kvm/{name}', GOOD)
        self.script('run_kselftest.sh', RUNNER)

    def script(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(f'#!/bin/sh\n{text}\n')
        os.chmod(path, 0o755)

    def wrong(self, check):
        return '\n'.join(check(self.folder, ['a_test', 'b_test']))

    def test_skips(self):
        self.assertEqual(self.wrong(kselftest_tarball.check_skips), '')
        for text, said in (('exit 0', 'b_test: wanted exit status 4'),
                           (f'echo seed 1; {GOOD}', 'b_test: wanted exit status 4'),
                           (f'sleep 1.2; {GOOD}', 'b_test: skips after 1.'),
                           (GOOD.replace('TDs', 'TDs here'), 'wanted one reason to skip')):
            self.script('kvm/b_test', text)
            with self.subTest(text=text):
                self.assertIn(said, self.wrong(kselftest_tarball.check_skips))

    def test_runner(self):
        self.assertEqual(self.wrong(kselftest_tarball.check_runner), '')
        for text, said in (('exit 1', 'wanted exit status 0'),
                           (f'echo Hello; {RUNNER}', "no KTAP, or no skip: 'Hello'"),
                           (RUNNER.replace('ok 2', 'not ok 2'), 'no KTAP, or no skip: \'not ok 2'),
                           (RUNNER.replace('b_test', 'a_test'), 'wanted a result of each test')):
            self.script('run_kselftest.sh', text)
            with self.subTest(text=text):
                self.assertIn(said, self.wrong(kselftest_tarball.check_runner))

    def test_layout(self):
        self.script('kselftest-list.txt', '')
        for name in kselftest_tarball.FILES:
            self.script(name, '')
        with open(os.path.join(self.folder, 'kselftest-list.txt'), 'w', encoding='utf-8') as f:
            f.write('kvm:a_test\nkvm:b_test\n')
        for name in ('a_test', 'b_test'):
            os.unlink(os.path.join(self.folder, 'kvm', name))
            os.symlink('/bin/sh', os.path.join(self.folder, 'kvm', name))
        self.assertIn('a_test: wanted a static program', self.wrong(kselftest_tarball.check_layout))
        os.unlink(os.path.join(self.folder, 'kvm/settings'))
        self.assertIn('kvm/settings is not in the tarball',
                      self.wrong(kselftest_tarball.check_layout))
