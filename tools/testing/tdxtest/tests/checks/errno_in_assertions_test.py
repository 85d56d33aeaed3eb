# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the check of errno in assertions."""

import unittest

from tdxtest.checks import errno_in_assertions

WRONG = 'a.c:2: TEST_ASSERT() makes a call and passes errno, which may be older than the call: ' \
        'wanted %m'


class Stale(unittest.TestCase):

    def wrong(self, assertion):
        return list(errno_in_assertions.stale('a.c', f'void f(void) {{\n\t{assertion}\n}}\n'))

    def test_call_and_errno(self):
        for assertion in ('TEST_ASSERT(!close(fd), "close(): %s", strerror(errno));',
                          'TEST_ASSERT(!close(fd),\n\t\t"%d", errno);',
                          'TEST_ASSERT(a && f(b, (c)) == 1, "%s", r ? strerror(errno) : "");'):
            self.assertEqual(self.wrong(assertion), [WRONG], assertion)

    def test_result_or_no_errno(self):
        for assertion in ('TEST_ASSERT(!r, "close(): %s", strerror(errno));',
                          'TEST_ASSERT(r == sizeof(r), "%s", strerror(errno));',
                          'TEST_ASSERT(!close(fd), "close(): %m");',
                          'TEST_ASSERT(!close(fd) || errno == EBADF, "errno: %m");',
                          '/* TEST_ASSERT(!close(fd), "%d", errno); */',
                          'TEST_ASSERT(!close(fd), "errno, (, strerror(errno)");'):
            self.assertEqual(self.wrong(assertion), [], assertion)


if __name__ == '__main__':
    unittest.main()
