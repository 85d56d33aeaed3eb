# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the pages of the documentation as lines of a kind."""

import unittest

from tdxtest.verdict import pages

MARKDOWN = """\
Text with `tree/source.py` in it.

    tdxtest.py run --jobs 1   # code

| a | table |
- a list
    that goes on

```
fenced
```
"""
RESTRUCTURED = """\
Text with ``seam.c`` in it::

	code

====  =====
Head  Text
====  =====
a     table
====  =====

More text.
"""


class Pages(unittest.TestCase):
    def check(self, name, text, kinds, code):
        page = pages.parse(name, text)
        self.assertEqual([line.kind for line in page.lines if line.text.strip()], kinds)
        self.assertEqual([pair for pair in page.code() if pair[1]], code)

    def test_markdown(self):
        self.check('x.md', MARKDOWN,
                   ['text', 'code', 'table', 'text', 'text', 'code', 'code', 'code'],
                   [(1, 'tree/source.py'), (3, 'tdxtest.py run --jobs 1   # code'),
                    (9, '```'), (10, 'fenced'), (11, '```')])

    def test_restructured(self):
        self.check('x.rst', RESTRUCTURED, ['text', 'code', *['table'] * 5, 'text'],
                   [(1, 'seam.c'), (3, 'code')])

    def test_number_of_a_line(self):
        self.assertEqual([pages.line_of('ab\ncd\n', at) for at in (0, 2, 3)], [1, 1, 2])
