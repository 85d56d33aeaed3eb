# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of where a kernel's source comes from."""

import os
import tempfile
import unittest

from tdxtest.base import build_folder
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
