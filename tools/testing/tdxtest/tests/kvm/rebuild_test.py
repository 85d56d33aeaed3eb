# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the files that a series changes, and of what is built of them."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import Failure, UsageError
from tdxtest.kvm import rebuild
from tdxtest.tree import kept, mbox, work_tree

DIFF = (b'--- a/arch/x86/kvm/vmx/tdx.c\n+++ b/arch/x86/kvm/vmx/tdx.c\n@@ -1,3 +1,3 @@\n'
        b' one\n-two\n+2\n three\n')


class Patched(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for path, text in (('tree/arch/x86/kvm/vmx/tdx.c', 'one\ntwo\nthree\n'),
                           ('tree/README', 'one\ntwo\nthree\n'),
                           ('out/arch/x86/kvm/vmx/tdx.o', 'object'),
                           ('out/tdxtest-built', 'state')):
            full = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as f:
                f.write(text)
            os.utime(full, (1000, 1000))
        self.kernel = mock.Mock(out=os.path.join(self.folder, 'out'))
        self.kernel.work = mock.Mock(tree=os.path.join(self.folder, 'tree'), folder=self.folder)
        self.kernel.work.source = mock.Mock(version='7.3.4', pristine='')

    def patched(self, *bodies):
        patched = rebuild.Patched(self.kernel, os.path.join(self.folder, 'review'))
        patched.apply([mbox.Patch(f'KVM: {n}', n, len(bodies), 1, body)
                       for n, body in enumerate(bodies, 1)])
        return patched

    def test_one_after_the_other(self):
        patched = self.patched(DIFF, DIFF.replace(b'two', b'2').replace(b'+2', b'+zwei'))
        self.assertEqual(patched.files['arch/x86/kvm/vmx/tdx.c'], b'one\nzwei\nthree\n')
        self.assertTrue(patched.objects_only())

    def test_what_is_built(self):
        patched = self.patched(DIFF, DIFF.replace(b'arch/x86/kvm/vmx/tdx.c', b'README'))
        self.assertFalse(patched.objects_only())
        self.assertIsNone(patched.outside())
        patched.files['tools/testing/x'] = patched.files.pop('README')
        self.assertTrue(patched.objects_only())
        patched.files['arch/x86/kvm/vmx/tdx.h'] = b''
        self.assertEqual((patched.objects_only(), patched.outside()), (False, []))
        # The configuration is that of the whole kernel.
        patched.files['arch/x86/kvm/Kconfig'] = b''
        self.assertIsNone(patched.outside())

    def test_headers(self):
        header = 'include/linux/kvm_host.h'
        tree = os.path.join(self.folder, 'tree')
        write_if_changed(os.path.join(tree, header), b'one\ntwo\nthree\n')
        body = DIFF.replace(b'arch/x86/kvm/vmx/tdx.c', header.encode())
        patched = self.patched(DIFF + body)
        # No object of this build includes it.
        self.assertEqual(patched.needed(), ['arch/x86/kvm/vmx/tdx.c'])
        self.assertTrue(patched.objects_only())
        for target in ('arch/x86/events/core.o', 'arch/x86/kvm/vmx/tdx.o'):
            folder, name = os.path.split(os.path.join(self.folder, 'out', target))
            write_if_changed(os.path.join(folder, name), b'old\n')
            # Its code is a part of the header.
            text = (f'savedcmd_{target} := head -n1 {tree}/{header} > {target} ; : '
                    f'{os.path.dirname(target)}/.{name}.d\n\n'
                    f'deps_{target} := \\\n  {tree}/{header} \\\n')
            write_if_changed(os.path.join(folder, f'.{name}.cmd'), text.encode())
        patched = self.patched(DIFF + body)
        self.assertEqual((patched.objects_only(), patched.outside()),
                         (False, ['arch/x86/events/core.o']))
        self.assertIsNone(patched.build_modules())
        self.kernel.make.assert_not_called()
        write_if_changed(os.path.join(self.folder, 'out/arch/x86/events/core.o'), b'one\n')
        for name in rebuild.KVM_MODULES:
            write_if_changed(os.path.join(self.folder, 'out/arch/x86/kvm', name), b'module')
        self.assertEqual(sorted(patched.build_modules()), sorted(rebuild.KVM_MODULES))
        self.assertEqual(patched.notes,
                         ['arch/x86/events/core.o includes what changed, and stays as it is'])
        with mock.patch('tdxtest.kvm.rebuild.MOST_TRIED', 0):
            self.assertIsNone(patched.build_modules())

    def test_what_is_touched(self):
        body = b'''Subject: [PATCH] x

rename to /tmp/x
copy from user space here.
--- a/prose.c, which was there before
---
diff --git a/README b/README
old mode 100644
new mode 100755
diff --git a/arch/x86/kvm/vmx/tdx.c b/arch/x86/kvm/vmx/moved.c
old mode 100644
new mode 100755
similarity index 60%
rename from arch/x86/kvm/vmx/tdx.c
rename to arch/x86/kvm/vmx/moved.c
--- a/arch/x86/kvm/vmx/tdx.c
+++ b/arch/x86/kvm/vmx/moved.c
@@ -1,3 +1,3 @@
 one
-two
+copy from is not in the head
 three
diff --git a/empty.c b/empty.c
new file mode 100644
index 000000000000..e69de29bb2d1
diff --git a/b.bin b/b.bin
new file mode 100644
index 0000000000000000000000000000000000000000..bdc955b7b2e610ad5a72302b139a2e6cb325519a
GIT binary patch
literal 2
JcmZQz1ONa700IC2

literal 0
HcmV?d00001

'''
        self.assertEqual(self.patched(body).files, {
            'README': b'one\ntwo\nthree\n', 'arch/x86/kvm/vmx/tdx.c': None,
            'arch/x86/kvm/vmx/moved.c': b'one\ncopy from is not in the head\nthree\n',
            'empty.c': b'', 'b.bin': b'\0\1'})

    def test_paths_outside(self):
        for path, name in ((b'a/../../x', '../../x'), (b'a//tmp/x', '/tmp/x')):
            with self.assertRaisesRegex(Failure, rf'\[PATCH\] KVM: 1: changes {name}: wanted'):
                self.patched(DIFF.replace(b'a/arch/x86/kvm/vmx/tdx.c', path)
                             .replace(b'b/arch/x86/kvm/vmx/tdx.c', path))

    def test_does_not_apply(self):
        with self.assertRaisesRegex(Failure, r'\[PATCH 2/2\] KVM: 2: does not apply to Linux '
                                             r'7.3.4: .*patch failed: arch/x86/kvm/vmx/tdx.c:1'):
            self.patched(DIFF, DIFF.replace(b'+2', b'+zwei'))

    def test_in_the_tree_already(self):
        back = DIFF.replace(b'-two\n+2', b'-2\n+two')
        with self.assertRaisesRegex(UsageError, r'already in Linux 7.3.4: \[PATCH\] KVM: 1$'):
            self.patched(back)
        patched = self.patched(back, DIFF)
        self.assertEqual(patched.files, {'arch/x86/kvm/vmx/tdx.c': b'one\n2\nthree\n'})
        self.assertEqual(patched.notes, ['[PATCH 1/2] KVM: 1: already in Linux 7.3.4'])

    def test_other_architectures(self):
        arm = DIFF.replace(b'arch/x86/kvm/vmx/tdx.c', b'arch/arm64/kvm/arm.c')
        patched = self.patched(DIFF + arm)
        self.assertIn('arch/arm64/kvm/arm.c, which no x86 kernel is made of', patched.notes[0])
        self.assertEqual(patched.built_files(), ['arch/x86/kvm/vmx/tdx.c'])
        write_if_changed(os.path.join(self.folder, 'tree/arch/arm64/kvm/arm.c'),
                         b'one\ntwo\nthree\n')
        patched = self.patched(DIFF + arm)
        self.assertEqual((patched.notes, patched.built_files()), ([], ['arch/x86/kvm/vmx/tdx.c']))
        self.assertTrue(patched.objects_only())

    def test_in_place_and_back(self):
        tdx = os.path.join(self.folder, 'tree/arch/x86/kvm/vmx/tdx.c')
        new = os.path.join(self.folder, 'tree/arch/x86/kvm/new.h')
        built = os.path.join(self.folder, 'out/arch/x86/kvm/vmx/tdx.o')
        stamp = os.path.join(self.folder, 'out/tdxtest-built')
        files = {'arch/x86/kvm/vmx/tdx.c': b'changed', 'arch/x86/kvm/new.h': b'new',
                 'tools/x': b'not built'}
        with self.assertRaises(KeyError):
            with rebuild.InPlace(self.kernel, files):
                with open(tdx, 'rb') as f:
                    self.assertEqual(f.read(), b'changed')
                self.assertTrue(os.path.exists(new))
                self.assertFalse(os.path.exists(stamp))
                with open(built, 'w', encoding='utf-8') as f:
                    f.write('other object')
                raise KeyError
        with open(tdx, 'rb') as f:
            self.assertEqual(f.read(), b'one\ntwo\nthree\n')
        with open(built, 'rb') as f:
            self.assertEqual(f.read(), b'object')
        self.assertEqual([os.path.getmtime(tdx), os.path.getmtime(built)], [1000, 1000])
        self.assertFalse(os.path.exists(new))
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'tree/tools/x')))
        self.assertTrue(os.path.exists(stamp))

    def test_killed_and_given_back(self):
        tdx = os.path.join(self.folder, 'tree/arch/x86/kvm/vmx/tdx.c')
        new = os.path.join(self.folder, 'tree/arch/x86/kvm/new.h')
        built = os.path.join(self.folder, 'out/arch/x86/kvm/vmx/tdx.o')
        for _ in range(2):
            # What is killed has no __exit__().
            rebuild.InPlace(self.kernel, {      # pylint: disable=unnecessary-dunder-call
                'arch/x86/kvm/vmx/tdx.c': b'changed', 'arch/x86/kvm/new.h': b'new'}).__enter__()
            os.unlink(built)
        kept.restore(self.folder)
        self.assertEqual(work_tree.read(tdx), b'one\ntwo\nthree\n')
        self.assertEqual([os.path.getmtime(tdx), os.path.getmtime(built)], [1000, 1000])
        self.assertFalse(os.path.exists(new))
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'out/tdxtest-built')))
        # Nothing is left to give back: what changes now is meant to.
        write_if_changed(tdx, b'edited')
        kept.restore(self.folder)
        self.assertEqual(work_tree.read(tdx), b'edited')

    def test_killed_while_keeping(self):
        tdx = os.path.join(self.folder, 'tree/arch/x86/kvm/vmx/tdx.c')
        inplace = rebuild.InPlace(self.kernel, {'arch/x86/kvm/vmx/tdx.c': b'changed'})
        with mock.patch('shutil.copy2', side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            inplace.__enter__()     # pylint: disable=unnecessary-dunder-call
        kept.restore(self.folder)
        self.assertEqual(work_tree.read(tdx), b'one\ntwo\nthree\n')


class Beside(unittest.TestCase):

    def test_only_what_differs_is_new(self):
        with tempfile.TemporaryDirectory() as folder:
            base = os.path.join(folder, 'tree')
            for name in ('a.c', 'b.c', 'gone.c'):
                os.makedirs(base, exist_ok=True)
                with open(os.path.join(base, name), 'w', encoding='utf-8') as f:
                    f.write(name)
                os.utime(os.path.join(base, name), (1000, 1000))
            work = mock.Mock(tree=base, out=lambda *parts: os.path.join(folder, *parts))
            beside = rebuild.Beside(work, {'a.c': b'new', 'gone.c': None, 'd/c.c': b'c'})

            def time_of(name):
                return os.path.getmtime(os.path.join(beside.tree, name))

            self.assertEqual(sorted(os.listdir(beside.tree)), ['a.c', 'b.c', 'd'])
            self.assertEqual(time_of('b.c'), 1000)
            self.assertGreater(time_of('a.c'), 1000)
            with open(os.path.join(base, 'a.c'), encoding='utf-8') as f:
                self.assertEqual(f.read(), 'a.c')
            # The products begin as those of the base, and so do the files.
            beside = rebuild.Beside(work, {'b.c': b'new'})
            self.assertEqual(time_of('a.c'), 1000)
            self.assertEqual(os.path.getmtime(os.path.join(base, 'a.c')), 1000)
