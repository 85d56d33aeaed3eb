# SPDX-License-Identifier: GPL-2.0-only
"""Whose selftest library the suite is built with, and whose headers."""

import io
import types
import unittest
from unittest import mock

from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.guest import stages
from tdxtest.guest.request import Request
from tdxtest.tree import series


class Tree:
    """What a WorkTree is to the stage."""

    def __init__(self, version, unfit='', pristine='/linux'):
        self.source = types.SimpleNamespace(name=version, version=version, pristine=pristine,
                                            key=lambda: series.parse_version(version))
        self.unfit = unfit
        self.laid = 0

    def lay(self):
        self.laid += 1

    def out(self, *parts):
        return '/'.join([self.source.name, *parts])


class SuiteLibrary(unittest.TestCase):
    def setUp(self):
        self.said = io.StringIO()
        self.broken = ()        # versions whose library the suite does not build with
        self.packaged = Tree('7.3.4', pristine='')
        outer = self

        class Suite:
            """Records what it is built of."""

            def __init__(self, _build, work, out='', headers=None):
                self.work, self.out, self.headers = work, out, headers or work

            def compile(self, _names=()):
                if self.work.source.version in outer.broken:
                    raise Failure('make tdx_tests failed: no such function')

        for name, value in (('Suite', Suite), ('WorkTree', lambda _build, _source: self.packaged),
                            ('source', mock.Mock())):
            patcher = mock.patch.object(stages, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def compile(self, tree, library=''):
        build = types.SimpleNamespace(progress=Progress(self.said))
        return stages.compile_suite(stages.Laid(Request().with_build(library=library), build, tree))

    def test_the_tree_s_own(self):
        tree = Tree('7.4.0')
        self.assertIs(self.compile(tree).work, tree)
        self.assertEqual(self.said.getvalue(), '')

    def test_a_tree_that_the_suite_does_not_fit(self):
        tree = Tree('7.4.0', 'patches/selftests/x.patch does not apply')
        suite = self.compile(tree)
        self.assertIs(suite.work, self.packaged)
        self.assertIs(suite.headers, tree)
        self.assertEqual(suite.out, '7.4.0/suite-7.3.4')
        self.assertIn('suite: patches/selftests/x.patch does not apply; using the selftest '
                      'library of Linux 7.3.4', self.said.getvalue())

    def test_an_older_kernel_gets_the_newer_headers(self):
        self.assertIs(self.compile(Tree('6.17', 'older')).headers, self.packaged)

    def test_a_library_that_the_suite_does_not_build_with(self):
        self.broken = ('7.4.0',)
        self.assertIs(self.compile(Tree('7.4.0')).work, self.packaged)
        self.assertIn('with the selftest library of Linux 7.4.0: make tdx_tests failed: no such',
                      self.said.getvalue())

    def test_a_packaged_kernel_has_no_other(self):
        self.broken = ('7.3.4',)
        with self.assertRaisesRegex(Failure, 'no such function'):
            self.compile(self.packaged)

    def test_who_insists(self):
        self.broken = ('7.4.0',)
        with self.assertRaisesRegex(Failure, 'no such function'):
            self.compile(Tree('7.4.0'), 'tree')
        with self.assertRaisesRegex(Failure, '--library tree: it has moved'):
            self.compile(Tree('7.4.1', 'it has moved'), 'tree')
        self.assertIs(self.compile(Tree('7.4.1'), 'packaged').work, self.packaged)
