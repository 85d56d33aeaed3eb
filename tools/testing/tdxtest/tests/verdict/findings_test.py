# SPDX-License-Identifier: GPL-2.0-only
"""Tests of findings.py and of the command that prints findings."""

import contextlib
import io
import os
import tempfile
import unittest

from tdxtest import program
from tdxtest.base.failure import EXIT_PASS, Failure
from tdxtest.commands import findings as command
from tdxtest.verdict import findings

PAGE = """\
.. SPDX-License-Identifier: GPL-2.0-only

7: A thing is wrong
===================

:Kernels: 6.16 to 7.3.4
:Severity: high, for
    somebody
:Cases: a_test:f.v.*
    b_test:global.x a_test:f.w.*
:Warns: ``free_it+`` ``two words``
:Leaks: ``cache one``
:Fix: fixes/0007-x.patch
:Upstream: no report found

What happens
------------

This.

What should happen
------------------

That.
"""


class Parse(unittest.TestCase):

    def test_a_page(self):
        found = findings.parse('0007-a-thing.rst', PAGE)
        self.assertEqual((found.number, found.title, found.severity),
                         (7, 'A thing is wrong', 'high, for somebody'))
        self.assertEqual(found.cases, ('a_test:f.v.*', 'b_test:global.x', 'a_test:f.w.*'))
        self.assertEqual(found.tests(), ['a_test', 'b_test'])
        self.assertEqual(found.warns, ('free_it+', 'two words'))
        self.assertTrue(found.has_fix())
        self.assertEqual(findings.expected_warnings((found,)),
                         [(7, 'free_it+'), (7, 'two words')])
        self.assertEqual(findings.expected_leaks(['x_test', 'b_test'], (found,)), ['cache one'])
        self.assertEqual(findings.expected_leaks(['x_test'], (found,)), [])

    def test_what_is_wrong(self):
        for name, old, new, text in (
                ('7-a.rst', '', '', 'wanted a name'),
                ('0008-a.rst', '', '', 'wanted the title "8: ..."'),
                ('0007-a.rst', '7: A', 'A', 'wanted the title'),
                ('0007-a.rst', ':Fix: fixes/0007-x.patch\n', '', 'wanted the field :Fix:'),
                ('0007-a.rst', ':Fix:', ':Mix: x\n:Fix:', 'wanted no field :Mix:'),
                ('0007-a.rst', 'What happens\n---', 'What\n---', 'section "What happens"')):
            with self.subTest(text=text), self.assertRaisesRegex(Failure, text):
                findings.parse(name, PAGE.replace(old, new) if old else PAGE)

    def test_every_page_is_read(self):
        found = findings.load()
        self.assertEqual([f.number for f in found], list(range(1, len(found) + 1)))
        for finding in found:
            with self.subTest(finding=finding.number):
                self.assertIn(finding.severity.partition(',')[0], command.SEVERITIES)


class Command(unittest.TestCase):

    def run_command(self, *words):
        """(exit status, what it printed)."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = program.main(['findings', *words])
        return status, out.getvalue()

    def test_the_severest_comes_first(self):
        status, out = self.run_command()
        self.assertEqual(status, EXIT_PASS)
        self.assertRegex(out.splitlines()[0], r'^ +3  critical +fix +A TD')
        self.assertEqual(len(out.splitlines()), len(findings.load()) + 1)

    def test_one_finding(self):
        status, out = self.run_command('4')
        self.assertEqual(status, EXIT_PASS)
        self.assertTrue(out.startswith('4: '), out)
        status, out = self.run_command('99')
        self.assertEqual(status, 2)
        self.assertIn('no finding 99; there are 1, 2', out)

    def test_the_page_has_all(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'page.rst')
            self.assertEqual(self.run_command('-o', path), (EXIT_PASS, ''))
            with open(path, encoding='utf-8') as f:
                text = f.read()
        for finding in findings.load():
            self.assertIn(f'\n{finding.number}: {finding.title}\n', text)
        self.assertEqual(text.count('SPDX'), 1)
