# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the check of links and paths in the documentation."""

import unittest

from tdxtest.checks import page_links
from tdxtest.verdict import pages


class Names(unittest.TestCase):
    known = {'tools/a/tree/source.py', 'tools/a/tree', 'tools/a', 'tools'}

    def wrong(self, text):
        return list(page_links.wrong_names(pages.parse('x.md', text), self.known))

    def test_end_of_a_path(self):
        self.assertEqual(self.wrong('`tree/source.py`, `source.py`, `tree/`, `tools/a/tree`'), [])
        self.assertEqual(self.wrong('`tree/so*.py` and `build/kernels/7.3/x.c`'), [])

    def test_no_such_file(self):
        self.assertEqual(self.wrong('`stages.py`'), ['x.md:1: stages.py: no such file'])
        self.assertEqual(self.wrong('`ree/`'), ['x.md:1: ree/: no such file'])


class Links(unittest.TestCase):
    def wrong(self, text, name='x.md'):
        return list(page_links.wrong_links(pages.parse(name, text)))

    def test_file_and_heading(self):
        self.assertEqual(self.wrong('[a](README.md) [b\nc](https://example.org/x)'), [])
        self.assertEqual(self.wrong('[a](README.md#the-tree)'), [])
        self.assertIn('x.md:1: link to READ.md: no such file', self.wrong('[a\nb](READ.md)'))
        self.assertIn('no such heading', self.wrong('[a](README.md#no-such)')[0])

    def test_page_beside(self):
        name = 'Documentation/arch/x86/x.rst'
        self.assertEqual(self.wrong(':doc:`tdx-sim`', name), [])
        self.assertIn('no such file', self.wrong(':doc:`tdx-simm`', name)[0])
