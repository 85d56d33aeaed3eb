# SPDX-License-Identifier: GPL-2.0-only
"""Tests of abi.py: the table of generations, against what it is a table of."""

import os
import re
import unittest

from tdxtest.base.failure import UsageError
from tdxtest.base.paths import PROJECT
from tdxtest.tree import abi, series

SUITE = os.path.join(PROJECT, 'tools/testing/selftests/kvm')


class TableTest(unittest.TestCase):

    def test_names_are_those_of_the_suite(self):
        path = os.path.join(SUITE, 'lib/x86/tdx/tdx_map_gpa_gens.c')
        with open(path, encoding='utf-8') as f:
            names = re.findall(r'^\t\t\.name = "(\w+)",$', f.read(), re.M)
        self.assertEqual(sorted(names), sorted(abi.NAMES))

    def test_patches_are_in_the_series(self):
        rows = {row.file: row.kind for row in series.load(os.path.join(PROJECT, 'patches'))}
        for generation in abi.GENERATIONS:
            for patch in generation.patches:
                with self.subTest(generation=generation.name, patch=patch):
                    self.assertIn(rows.get(patch), ('abi', 'fix'))

    def test_each_kernel_has_one_generation(self):
        for version, name in (((6, 16), 'legacy'), ((7, 1, 9), 'legacy'), ((7, 2), 'merged'),
                              ((7, 3, 4), 'merged'), ((8, 0), 'merged')):
            with self.subTest(version=version):
                own = [g.name for g in abi.GENERATIONS if g.is_of(version)]
                self.assertEqual(own, [name])
                self.assertEqual(abi.of_tree(version).name, name)

    def test_patches_make_a_generation(self):
        fixed = abi.named('fixed').patches
        self.assertEqual(abi.of_tree((7, 3), fixed).name, 'fixed')
        self.assertEqual(abi.of_tree((7, 3), (*fixed, 'fixes/other.patch')).name, 'fixed')
        self.assertEqual(abi.of_tree((7, 3), ('fixes/other.patch',)).name, 'merged')
        self.assertEqual(abi.of_tree((7, 3), abi.named('legacy').patches).name, 'legacy')
        self.assertEqual(abi.of_tree((7, 3), abi.named('posted').patches).name, 'posted')

    def test_own_generation_needs_no_patch(self):
        self.assertEqual(abi.patches(abi.named('merged'), (7, 3)), ())
        self.assertEqual(abi.patches(abi.named('legacy'), (6, 18)), ())
        self.assertEqual(len(abi.patches(abi.named('legacy'), (7, 2))), 1)
        self.assertEqual(len(abi.patches(abi.named('posted'), (7, 3))), 2)

    def test_unknown_generation(self):
        with self.assertRaisesRegex(UsageError, 'legacy, posted, merged, fixed'):
            abi.named('latest')

    def test_environment(self):
        self.assertEqual(abi.environment(abi.named('posted'), False, (7, 3)),
                         {'TDX_MAP_GPA_ABI': 'posted'})
        self.assertEqual(abi.environment(abi.named('merged'), True, (7, 3))
                         ['TDX_MAP_GPA_STRICT'], '1')

    def test_environment_names_what_the_kernel_lacks(self):
        merged = abi.named('merged')
        self.assertEqual(abi.environment(merged, False, (7, 2, 13))['TDX_KVM_LACKS'],
                         'bus_lock_exit,no_source_einval')
        self.assertNotIn('TDX_KVM_LACKS', abi.environment(merged, False, (7, 3)))

    def test_features_are_those_of_the_suite(self):
        path = os.path.join(SUITE, 'include/x86/tdx/tdx_kvm.h')
        with open(path, encoding='utf-8') as f:
            names = re.findall(r'^#define TDX_KVM_\w+\t"([a-z_]+)"$', f.read(), re.M)
        self.assertEqual(sorted(names), sorted(f.name for f in abi.FEATURES))
