# SPDX-License-Identifier: GPL-2.0-only
"""Which checks run when, and in which order."""

import io
import types
import unittest
from unittest import mock

from tdxtest.base import checking
from tdxtest.base.checking import When
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress


def made(name, when=When.STATIC, wrong=(), **more):
    return types.SimpleNamespace(NAME=name, WHEN=when, check=lambda subject: wrong, **more)


def loaded(**modules):
    with mock.patch.object(checking.discovery, 'modules', lambda folder: dict(modules)):
        return [module.NAME for module in checking.load()]


class Order(unittest.TestCase):
    def test_by_name(self):
        self.assertEqual(loaded(a=made('A'), b=made('B')), ['A', 'B'])

    def test_after_another(self):
        self.assertEqual(loaded(a=made('A', AFTER='b'), b=made('B'), c=made('C')),
                         ['B', 'A', 'C'])

    def test_after_none_that_exists(self):
        with self.assertRaisesRegex(Failure, 'checks/a.py: AFTER names no check before it'):
            loaded(a=made('A', AFTER='z'))

    def test_each_file_is_a_check(self):
        for module in checking.load():
            with self.subTest(module=module.__name__):
                self.assertTrue(module.NAME)
                self.assertIsInstance(module.WHEN, When)
                self.assertTrue(callable(module.check))


class Chosen(unittest.TestCase):
    def chosen(self, when, text):
        modules = {'a': made('A of c', AFTER='b', __name__='checks.a'),
                   'b': made('B', AFTER='d', __name__='checks.b'),
                   'c': made('C', When.LONG, __name__='checks.c'),
                   'd': made('D', __name__='checks.d')}
        with mock.patch.object(checking.discovery, 'modules', lambda folder: dict(modules)):
            return [check.NAME for check in checking.chosen(when, text)]

    def test_by_time_and_text(self):
        self.assertEqual(self.chosen((When.STATIC, When.LONG), ''), ['C', 'D', 'B', 'A of c'])
        self.assertEqual(self.chosen((When.STATIC,), 'D'), ['D'])

    def test_with_what_comes_before(self):
        self.assertEqual(self.chosen((When.STATIC,), 'of c'), ['D', 'B', 'A of c'])

    def test_text_of_no_check(self):
        with self.assertRaisesRegex(UsageError, '--only x: there are C$'):
            self.chosen((When.LONG,), 'x')


class Run(unittest.TestCase):
    def test_only_those_that_are_due(self):
        out = io.StringIO()
        failed = checking.run([made('A', wrong=['a.c:1: no b']), made('B'),
                               made('C', When.LONG, wrong=['never'])],
                              When.STATIC, Progress(out), None)
        self.assertEqual(failed, 1)
        self.assertEqual([line[11:] for line in out.getvalue().splitlines() if '[' in line],
                         ['check: A: 1 wrong', 'check: B: ok'])
        self.assertIn('\n  a.c:1: no b\n', out.getvalue())

    def test_the_progress_knows_which_one_it_is(self):
        shown, seen = Progress(io.StringIO()), []
        check = types.SimpleNamespace(NAME='A', WHEN=When.STATIC,
                                      check=lambda subject: seen.append(shown.doing) or [])
        checking.run([check], When.STATIC, shown, None)
        self.assertEqual((seen, shown.doing), (['A'], ''))

    def test_a_long_one_says_when_it_begins_and_what_it_took(self):
        out = io.StringIO()
        checking.run([made('A', When.LONG), made('B'), made('C', When.LONG, wrong=['no'])],
                     When.LONG, Progress(out), None)
        said = [line[11:].rstrip(' s.0123456789') for line in out.getvalue().splitlines()]
        self.assertEqual([line for line in said if line.startswith('check')],
                         ['check: A: 1 of', 'check: done in', 'check: A: ok',
                          'check: C: 2 of', 'check: done in', 'check: C: 1 wrong'])

    def test_one_that_this_machine_does_not_allow(self):
        def refuse(subject):
            raise checking.NotHere('there is no root')

        out, skipped = io.StringIO(), []
        check = types.SimpleNamespace(NAME='A', WHEN=When.STATIC, check=refuse)
        failed = checking.run([check, made('B')], When.STATIC, Progress(out), None, skipped)
        self.assertEqual((failed, skipped), (0, ['A']))
        self.assertEqual([line[11:] for line in out.getvalue().splitlines()],
                         ['check: A: skipped, there is no root', 'check: B: ok'])
