# SPDX-License-Identifier: GPL-2.0-only
"""Which packages a TD is made of."""

import lzma
import os
import tempfile
import unittest

from tdxtest.base.failure import Failure
from tdxtest.guest.td import packages

OLD = ['linux-image-7.2.9+deb13-cloud-amd64', 'linux-image-7.2.13+deb14-cloud-amd64']
NEW = ['linux-image-7.3.4+deb13-cloud-amd64', 'linux-binary-7.3.4+deb13-cloud-amd64',
       'linux-modules-7.3.4+deb13-cloud-amd64']


class Suites(unittest.TestCase):
    def test_a_backport_comes_before_unstable(self):
        rows = [('1:11.1.3+ds-1', 'http://x unstable/main amd64 Packages'),
                ('1:11.1.3+ds-1~bpo13+1', 'http://x trixie-backports/main amd64 Packages')]
        self.assertEqual(packages.suite_of(rows, (10, 1)),
                         ('1:11.1.3+ds-1~bpo13+1', 'trixie-backports'))

    def test_a_version_that_is_too_old(self):
        old = ('1:10.0.13+ds-0+deb13u1', 'http://x trixie/main amd64 Packages')
        self.assertEqual(packages.suite_of([old], (10, 1)), ('', ''))
        self.assertEqual(packages.suite_of([old]), (old[0], 'trixie'))


class Kernels(unittest.TestCase):
    def test_the_newest_of_the_series(self):
        self.assertEqual(packages.kernel_packages(OLD + NEW, '7.2'), [OLD[1]])

    def test_split_packages(self):
        self.assertEqual(packages.kernel_packages(OLD + NEW, '7.3'), NEW[1:])

    def test_another_series(self):
        self.assertEqual(packages.kernel_packages(OLD + NEW, '7.9'), NEW[1:])
        self.assertEqual(packages.kernel_packages([], '7.3'), [])

    def test_what_is_kept(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())

        def write(path, data):
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), 'wb') as f:
                f.write(lzma.compress(data) if path.endswith('.xz') else data)

        write('usr/lib/modules/7/vmlinuz', b'kernel')
        write('usr/lib/modules/7/kernel/tdx-guest.ko.xz', b'x\0depends=tsm_report\0')
        write('usr/lib/modules/7/kernel/tsm_report.ko.xz', b'x\0depends=configfs,builtin\0')
        write('usr/lib/modules/7/kernel/configfs.ko', b'depends=\0')
        write('usr/lib/modules/7/kernel/other.ko.xz', b'x\0depends=\0')
        packages.keep_kernel(folder)
        self.assertEqual(sorted(os.listdir(folder)), ['image', 'modules', 'modules.list'])
        with open(os.path.join(folder, 'modules.list'), encoding='utf-8') as f:
            names = f.read().split()
        self.assertEqual(names, ['configfs.ko', 'tsm_report.ko', 'tdx-guest.ko'])
        self.assertEqual(sorted(os.listdir(os.path.join(folder, 'modules'))), sorted(names))


class Firmware(unittest.TestCase):
    def test_the_variables_are_replaced(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        paths = [os.path.join(folder, name) for name in ('code', 'variables', 'made')]
        for path, data in zip(paths, (b'keyscode', b'none')):
            with open(path, 'wb') as f:
                f.write(data)
        packages.without_keys(*paths)
        with open(paths[2], 'rb') as f:
            self.assertEqual(f.read(), b'nonecode')
        with self.assertRaisesRegex(Failure, 'wanted less'):
            packages.without_keys(paths[1], paths[0], paths[2])


class Kept(unittest.TestCase):
    def test_what_is_whole_is_used_again(self):
        folder = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), 'x')
        self.assertIsNone(packages.kept(folder))
        made = packages.unpack(folder, '1.0', [], [])
        self.assertEqual(packages.kept(folder), made)


if __name__ == '__main__':
    unittest.main()
