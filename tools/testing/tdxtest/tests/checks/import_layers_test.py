# SPDX-License-Identifier: GPL-2.0-only
"""An import that goes up, or in a circle, is found."""

import unittest

from tdxtest.checks.import_layers import FOLDER, wrong_imports


def wrong(**texts):
    """wrong_imports() in files such as base__command, a layer and a name."""
    return list(wrong_imports({FOLDER + name.replace('__', '/', 1) + '.py': text
                          for name, text in texts.items()}))


class Layers(unittest.TestCase):
    def test_down_and_within_a_layer(self):
        self.assertEqual(wrong(base__command='import os\n',
                               tree__suite='from tdxtest.base import command\n',
                               tree__series='from tdxtest.tree.suite import names\n'), [])

    def test_up(self):
        for text in ('from tdxtest.verdict import ktap\n',
                     'from tdxtest.verdict.ktap import judge\n',
                     'import os, tdxtest.verdict.ktap as k\n',
                     'def f():\n    from tdxtest.verdict import ktap\n'):
            with self.subTest(text=text):
                self.assertEqual(wrong(base__command=text, verdict__ktap=''),
                                 [f'{FOLDER}base/command.py:{text.count("def") + 1}: imports '
                                  'verdict.ktap, and base/ is below verdict/'])

    def test_the_program_or_a_test(self):
        self.assertEqual(wrong(base__command='from tdxtest import program\n', program=''),
                         [f'{FOLDER}base/command.py:1: imports program, which is in no layer'])
        self.assertIn('which is in no layer', wrong(
            base__command='from tdxtest.tests.base import command_test\n',
            tests__base='')[0])

    def test_a_relative_import(self):
        self.assertEqual(wrong(base__command='from ..verdict import ktap\n', verdict__ktap=''),
                         [f'{FOLDER}base/command.py:1: imports .., which is in no layer'])

    def test_those_that_may(self):
        text = 'from tdxtest.checks import style\n'
        self.assertEqual(wrong(program=text, tests__a_test=text, checks__style=''), [])

    def test_a_circle_in_a_layer(self):
        self.assertEqual(wrong(tree__a='from tdxtest.tree import b\n',
                               tree__b='from tdxtest.tree.c import x\n',
                               tree__c='import tdxtest.tree.a\n'),
                         [f'{FOLDER}: import each other: tree.a -> tree.b -> tree.c -> tree.a'])

    def test_a_new_folder(self):
        self.assertIn('is in no layer', wrong(more__a='')[0])
