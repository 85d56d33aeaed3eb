# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of what docutils says of a page."""

import unittest

from tdxtest.checks import page_rendering

SAID = """\
/a/x.rst:6: (WARNING/2) Inline literal start-string without end-string.
/a/x.rst:8: (ERROR/3) Malformed table.
No bottom table border found.
/a/x.rst:9: (ERROR/3) Unknown interpreted text role "doc".
"""


class Complaints(unittest.TestCase):
    def test_lines_and_the_role_of_sphinx(self):
        self.assertEqual(list(page_rendering.complaints('x.rst', SAID)), [
            'x.rst:6: Inline literal start-string without end-string.',
            'x.rst:8: Malformed table.'])
