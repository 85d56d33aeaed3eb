# SPDX-License-Identifier: GPL-2.0-only
"""Options of a kernel that got lost are named."""

import io
import os
import tempfile
import types
import unittest
from unittest import mock

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress
from tdxtest.tree import kernel


class Config(unittest.TestCase):
    def test_lost_options_are_named(self):
        wanted = kernel.parse_config('CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=n\nCONFIG_D=y\n')
        got = kernel.parse_config('CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n# CONFIG_D is not set\n')
        self.assertEqual(kernel.lost_options(wanted, got),
                         ['CONFIG_B: wanted m, got y', 'CONFIG_C: wanted n, got y',
                          'CONFIG_D: wanted y, got n'])

    def test_a_module_is_enough_for_a_selftest(self):
        self.assertEqual(kernel.lost_options({'KVM': 'y'}, {'KVM': 'm'}, True), [])
        self.assertEqual(len(kernel.lost_options({'KVM': 'y'}, {}, True)), 1)

    def test_an_absent_option_is_off(self):
        self.assertEqual(kernel.lost_options({'A': 'n'}, {}), [])


class OwnFragment(unittest.TestCase):
    def check(self, text, error):
        with tempfile.NamedTemporaryFile('w', suffix='.config') as f:
            f.write(text)
            f.flush()
            with self.assertRaisesRegex(UsageError, error):
                kernel.check_own(f.name, ['base', 'sim'])

    def test_what_is_none(self):
        self.check('CONFIG_A=y\nA=y\n', 'line 2: wanted CONFIG_NAME=VALUE')
        self.check('# nothing\n', 'names no option')
        self.check('# CONFIG_KVM not set\n', 'line 1: wanted')
        self.check('CONFIG_KVM=y\n', 'CONFIG_KVM=y: the tests need m')
        with self.assertRaisesRegex(UsageError, 'CONFIG=/nowhere: No such file'):
            kernel.check_own('/nowhere', ['base'])

    def test_two_files_of_one_name_are_built_apart(self):
        labels = {kernel.fragment_label(name) for name in ('/a/my.config', '/b/my.config', 'base')}
        self.assertEqual(len(labels), 3)


class Vanished(unittest.TestCase):
    """What becomes of options that a tree does not have any more."""

    def verify(self, kconfig, got, wanted, own=''):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (('tree/mm/Kconfig', kconfig), ('out/.config', got),
                               ('my.config', own)):
                write_if_changed(os.path.join(folder, name), text.encode())
            said = io.StringIO()
            work = types.SimpleNamespace(
                tree=os.path.join(folder, 'tree'), source=types.SimpleNamespace(version='7.4.0'),
                out=lambda *parts: os.path.join(folder, 'out'))
            build = types.SimpleNamespace(progress=Progress(said))
            with mock.patch.object(kernel, 'suite_options', return_value={}):
                configs = ['base', 'sim'] + ([os.path.join(folder, 'my.config')] if own else [])
                kernel.Kernel(build, work, configs).verify(wanted)
            return said.getvalue()

    def test_an_option_that_the_tests_can_do_without(self):
        self.assertIn('note: Linux 7.4.0 has no CONFIG_HZ_1000; the tests do without',
                      self.verify('config OTHER\n', '', {'HZ_1000': 'y'}))

    def test_an_option_that_the_tests_need(self):
        with self.assertRaisesRegex(Failure, 'has no CONFIG_KVM_INTEL_TDX, without which no test'):
            self.verify('', '', {'KVM_INTEL_TDX': 'y'})

    def test_an_option_that_is_there_but_got_lost(self):
        with self.assertRaisesRegex(Failure, 'CONFIG_HZ_1000: wanted y, got n'):
            self.verify('\tmenuconfig HZ_1000\n', '', {'HZ_1000': 'y'})

    def test_nothing_is_lost(self):
        self.assertEqual(self.verify('config A\n', 'CONFIG_A=y\n', {'A': 'y', 'B': 'n'}), '')

    def test_what_a_person_s_own_option_displaces(self):
        kconfig = 'config HZ_1000\nconfig HZ_250\nconfig KVM\n'
        wanted = {'HZ_1000': 'y', 'HZ_250': 'y', 'KVM': 'm'}
        self.assertIn('CONFIG= changes what the tool asks for: CONFIG_HZ_1000: wanted y, got n',
                      self.verify(kconfig, 'CONFIG_HZ_250=y\nCONFIG_KVM=m\n', wanted,
                                  'CONFIG_HZ_250=y\n'))
        for got, option in (('CONFIG_KVM=m\n', 'HZ_250'), ('CONFIG_HZ_250=y\n', 'KVM')):
            with self.assertRaisesRegex(Failure, f'did not survive.*CONFIG_{option}: wanted'):
                self.verify(kconfig, got, wanted, 'CONFIG_HZ_250=y\n')
        with self.assertRaisesRegex(Failure, 'has no CONFIG_GONE, which CONFIG= asks for'):
            self.verify(kconfig, '', {'GONE': 'y'}, 'CONFIG_GONE=y\n')
