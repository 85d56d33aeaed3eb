# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of where a kernel's source comes from."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base import apt, build_folder
from tdxtest.base.failure import Failure, UsageError
from tdxtest.tree import source

MAKEFILE = 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n'


class OwnTree(unittest.TestCase):
    def test_its_name_may_be_unfit_for_a_build_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = os.path.join(folder, "it's: a tree")
            for name in source.MARKERS:
                os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
                with open(os.path.join(tree, name), 'w', encoding='utf-8') as f:
                    f.write(MAKEFILE)
            found = source.from_kdir(tree)
        self.assertEqual((found.pristine, found.version), (tree, '7.3.4'))
        build_folder.check_name(os.path.join('/srv', found.name))


class State:
    """An apt state that carries versions: {package: [newest, ...]}."""

    def __init__(self, carried):
        self.carried = carried

    def packages(self, _pattern):
        return list(self.carried)

    def versions(self, package):
        return [(version, '') for version in self.carried[package]]


class Packaged(unittest.TestCase):
    NEWER = {'linux-source-6.12': ['6.12.9-1'], 'linux-source-7.2': ['7.2.13-1'],
             'linux-source-7.3': ['7.3.4-1', '7.3.2-1']}

    def candidates(self, system, isolated):
        """[(package, version)] and what was said. isolated: carried, or a Failure."""
        build = mock.Mock()
        build.isolated_apt.side_effect = [State(isolated) if isinstance(isolated, dict)
                                          else isolated]
        with mock.patch.object(apt, 'AptState', lambda: State(system)):
            rows = [row[:2] for row in source.candidates(build, False)]
        return rows, [call.args[0] for call in build.progress.say.mock_calls]

    def test_the_system_carries_none(self):
        self.assertEqual(self.candidates({'linux-source-6.12': ['6.12.9-1']}, self.NEWER)[0],
                         [('linux-source-7.2', '7.2.13-1'), ('linux-source-7.3', '7.3.4-1')])

    def test_the_system_carries_one(self):
        self.assertEqual(self.candidates({'linux-source-7.2': ['7.2.12-1']}, self.NEWER)[0],
                         [('linux-source-7.2', '7.2.12-1'), ('linux-source-7.3', '7.3.4-1')])

    def test_no_mirror(self):
        rows, said = self.candidates({'linux-source-7.2': ['7.2.12-1']}, UsageError('no mirror'))
        self.assertEqual((rows, said), ([('linux-source-7.2', '7.2.12-1')], ['note: no mirror']))
        with self.assertRaisesRegex(Failure, 'no mirror'):
            self.candidates({}, Failure('no mirror'))
