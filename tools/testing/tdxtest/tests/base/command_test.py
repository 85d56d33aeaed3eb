# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of how programs are run."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base import command
from tdxtest.base.failure import Failure


class CompilerCache(unittest.TestCase):
    def test_comes_first_where_it_is_installed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = command.with_compiler_cache('/usr/bin:/bin', (folder,))
        self.assertEqual(path, f'{folder}:/usr/bin:/bin')

    def test_is_left_out_where_it_is_not(self):
        with tempfile.TemporaryDirectory() as folder:
            gone = os.path.join(folder, 'ccache')
            self.assertEqual(command.with_compiler_cache('/bin', (gone,)), '/bin')

    def test_is_not_named_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f'/bin:{folder}'
            self.assertEqual(command.with_compiler_cache(path, (folder,)), path)

    def test_what_the_caller_wants_wins(self):
        self.assertEqual(command.environment({'PATH': '/bin'})['PATH'], '/bin')


class Environment(unittest.TestCase):
    def test_what_is_for_another_build_is_left_out(self):
        for name in ('ARCH', 'CROSS_COMPILE', 'KBUILD_OUTPUT', 'KCONFIG_CONFIG', 'KCFLAGS', 'O',
                     'CFLAGS', 'GIT_DIR', 'MAKEFLAGS', 'TESTS', 'DEBUG', 'V', 'LANGUAGE'):
            with mock.patch.dict(os.environ, {name: 'other'}):
                self.assertNotIn(name, command.environment())
                self.assertEqual(command.environment({name: 'ours'})[name], 'ours')

    def test_what_is_not_is_kept(self):
        for name in ('HOME', 'http_proxy', 'SSL_CERT_FILE', 'CCACHE_DIR', 'LLVM', 'OTHER'):
            with mock.patch.dict(os.environ, {name: 'kept'}):
                self.assertEqual(command.environment()[name], 'kept')


class Telling(unittest.TestCase):
    def test_the_line_that_tells_why(self):
        for said, wanted in (
                ('a.c: In f():\na.c:7:3: error: no b\n 7 | b\n', 'a.c:7:3: error: no b'),
                ('{\n  "code": 1,\n  "detail": "no runs-on"\n}\n', '"detail": "no runs-on"'),
                ('x.yml\n  3:1  warning  too long\n\n', '3:1  warning  too long'),
                ('$ make x\n', '')):
            self.assertEqual(command.telling(said), wanted)


class Reasons(unittest.TestCase):
    def test_the_telling_line_is_given(self):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, 'log')
            script = 'echo start; echo "a.c:1: error: no b" >&2; ' \
                     'echo "make: *** [x] Error 1"; exit 2'
            with self.assertRaisesRegex(Failure, 'make failed: a.c:1: error: no b'):
                command.run(['sh', '-c', script], log, what='make')

    def test_a_full_disk(self):
        error = OSError(28, 'No space left on device', 'build/x')
        self.assertIn('no space left on device for build/x', command.explain(error))

    def test_a_missing_program(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(Failure, 'install it'):
            command.run(['no-such-program'], os.path.join(folder, 'log'))
