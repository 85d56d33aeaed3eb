# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the check of sentences."""

import unittest

from tdxtest.checks import prose
from tdxtest.verdict import pages


class Layout(unittest.TestCase):
    def wrong(self, text):
        return list(prose.wrong_layout(pages.parse('x.md', text)))

    def test_width_of_text_only(self):
        wide = 'word ' * 30
        self.assertIn('x.md:1: 150 columns', self.wrong(wide)[0])
        self.assertEqual(self.wrong(f'| {wide} |\n\n    {wide}\n'), [])

    def test_figures_that_rot(self):
        self.assertIn('"1,005 cases"', self.wrong('It has 1,005 cases.')[0])
        self.assertEqual(self.wrong('    # 5 cases'), [])


class Phrases(unittest.TestCase):
    def wrong(self, text):
        return list(prose.wrong_phrases('x.c', text, prose.load_phrases()))

    def test_phrase_over_a_line_end(self):
        found = self.wrong('/*\n * It is\n * to be done. */')
        self.assertEqual(len(found), 1, found)
        self.assertIn('x.c:2: "is to be"', found[0])

    def test_phrase_at_the_start_of_a_sentence(self):
        self.assertIn('"Nobody": write who it is', self.wrong('/* Nobody reads it. */')[0])

    def test_plain_words_pass(self):
        self.assertEqual(self.wrong('The host must answer after the exit.'), [])
