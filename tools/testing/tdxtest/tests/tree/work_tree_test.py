# SPDX-License-Identifier: GPL-2.0-only
"""The work tree: overlay, patches and a person's tree, on a small made-up kernel."""

import os
import tempfile
import unittest
from unittest import mock

from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.progress import Progress
from tdxtest.tree import kept, mbox, source, work_tree

MAKEFILE = 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n'
KERNEL = {
    'Makefile': MAKEFILE,
    'Kconfig': 'mainmenu "x"\n',
    'arch/x86/kvm/vmx/tdx.c': 'one\ntwo\nthree\n',
    'arch/x86/Makefile': '# 1\n# 2\nobj-y += a.o\n# 3\n# 4\n# 5\n',
}
PATCH = """From 0 Mon Sep 17 00:00:00 2001
Subject: [PATCH] x86: Build b.o

---
diff --git a/arch/x86/Makefile b/arch/x86/Makefile
--- a/arch/x86/Makefile
+++ b/arch/x86/Makefile
@@ -1,5 +1,6 @@
 # 1
 # 2
 obj-y += a.o
+obj-y += {object}
 # 3
 # 4
"""


def makefile(objects, end='# 5'):
    """arch/x86/Makefile of the kernel above with other objects."""
    rows = ''.join(f'obj-y += {name}\n' for name in objects)
    return f'# 1\n# 2\n{rows}# 3\n# 4\n{end}\n'

SERIES = 'seam/one.patch [6.16,) seam - builds it\n'


class Null:
    """Takes what the tool would print."""

    def write(self, text):
        return len(text)

    def flush(self):
        pass


class WorkTreeTest(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.addCleanup(self.temp.cleanup)
        self.kdir = self.fill('kdir', KERNEL)
        self.project = self.fill('project', {
            'arch/x86/sim/seam.c': 'seam\n',
            'patches/series': SERIES,
            'patches/seam/one.patch': PATCH.format(object='b.o'),
        })
        patcher = mock.patch.object(work_tree, 'PROJECT', self.project)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.build = Build(self.place('build'), Progress(Null()))
        self.addCleanup(self.build.close)
        self.work = work_tree.WorkTree(self.build, source.from_kdir(self.kdir))

    def place(self, *parts):
        return os.path.join(self.temp.name, *parts)

    def fill(self, top, files):
        for name, text in files.items():
            write_if_changed(self.place(top, name), text.encode())
        return self.place(top)

    def laid(self, name):
        return work_tree.read(os.path.join(self.work.tree, name))

    def snapshot(self, top):
        found = {}
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                found[path] = (os.stat(path).st_mtime_ns, work_tree.read(path))
        return found

    def packaged(self):
        """A work tree whose source lies in the tree itself."""
        work = work_tree.WorkTree(self.build, source.Source('7.3', '7.3.4', 'a package'))
        for name, text in KERNEL.items():
            write_if_changed(os.path.join(work.tree, name), text.encode())
        return work

    def test_lay(self):
        self.work.lay()
        self.assertEqual(self.laid('arch/x86/sim/seam.c'), b'seam\n')
        self.assertEqual(self.laid('arch/x86/Makefile'), makefile(['a.o', 'b.o']).encode())
        self.assertEqual(self.laid('arch/x86/kvm/vmx/tdx.c'), b'one\ntwo\nthree\n')

    def test_patches_that_are_carried_along(self):
        body = (b'--- a/arch/x86/Makefile\n+++ b/arch/x86/Makefile\n@@ -4,4 +4,5 @@\n'
                b' obj-y += b.o\n # 3\n # 4\n+# 4a\n # 5\n'
                b'--- /dev/null\n+++ b/arch/x86/kvm/new.c\n@@ -0,0 +1 @@\n+new\n')
        carried = mbox.Series('x', 1, (mbox.Patch('x', 1, 1, 1, body),))
        self.work.lay()
        plain, state = self.laid('arch/x86/Makefile'), self.work.state
        # The patch is for what the project's own patch leaves.
        self.work.lay(carried=carried)
        self.assertEqual(self.laid('arch/x86/Makefile'),
                         makefile(['a.o', 'b.o'], '# 4a\n# 5').encode())
        self.assertEqual(self.laid('arch/x86/kvm/new.c'), b'new\n')
        self.assertNotEqual(self.work.state, state)
        self.work.lay()
        self.assertEqual(self.laid('arch/x86/Makefile'), plain)
        self.assertIsNone(self.laid('arch/x86/kvm/new.c'))
        gone = (b'diff --git a/Kconfig b/Kconfig\ndeleted file mode 100644\n--- a/Kconfig\n'
                b'+++ /dev/null\n@@ -1 +0,0 @@\n-mainmenu "x"\n')
        carried = mbox.Series('x', 1, (mbox.Patch('x', 1, 1, 1, gone),))
        with self.assertRaisesRegex(Failure, '--with: removes Kconfig'):
            self.work.lay(carried=carried)

    def test_the_same_file_with_another_time(self):
        self.work.lay()
        target = os.path.join(self.work.tree, 'arch/x86/kvm/vmx/tdx.c')
        os.utime(target, (1000, 1000))
        os.utime(os.path.join(self.kdir, 'arch/x86/kvm/vmx/tdx.c'), (2000, 2000))
        self.assertEqual(self.work.lay(), 0)
        self.assertEqual(os.path.getmtime(target), 1000)
        self.fill('kdir', {'arch/x86/kvm/vmx/tdx.c': 'one\n2!\nthree\n'})
        self.assertEqual(self.work.lay(), 1)
        self.assertGreater(os.path.getmtime(target), 2000)

    def test_the_given_tree_is_not_written(self):
        before = self.snapshot(self.kdir)
        self.work.lay()
        self.assertEqual(self.snapshot(self.kdir), before)

    def test_nothing_changed_writes_nothing(self):
        self.work.lay()
        before = self.snapshot(self.work.tree)
        self.assertEqual(self.work.lay(), 0)
        self.assertEqual(self.snapshot(self.work.tree), before)

    def test_only_an_edited_file_is_copied(self):
        self.work.lay()
        before = self.snapshot(self.work.tree)
        self.fill('kdir', {'arch/x86/kvm/vmx/tdx.c': 'one\n2\nthree\n'})
        self.assertEqual(self.work.lay(), 1)
        after = self.snapshot(self.work.tree)
        changed = [path for path, data in after.items() if data != before.get(path)]
        self.assertEqual(changed, [os.path.join(self.work.tree, 'arch/x86/kvm/vmx/tdx.c')])

    def test_an_edit_under_a_patch_is_kept(self):
        self.work.lay()
        self.fill('kdir', {'arch/x86/Makefile': makefile(['a.o'], '# new')})
        self.work.lay()
        self.assertEqual(self.laid('arch/x86/Makefile'),
                         makefile(['a.o', 'b.o'], '# new').encode())

    def test_what_a_killed_review_left_is_undone(self):
        for work in (self.work, self.packaged()):
            with self.subTest(source=work.source.name):
                work.lay()
                path = os.path.join(work.tree, 'arch/x86/kvm/vmx/tdx.c')
                kept.keep(work.folder, [path])
                write_if_changed(path, b'reviewed\n')
                work.lay()
                self.assertEqual(work_tree.read(path), b'one\ntwo\nthree\n')

    def test_a_removed_overlay_file_goes(self):
        for work in (self.work, self.packaged()):
            with self.subTest(source=work.source.name):
                self.fill('project', {'arch/x86/sim/seam.c': 'seam\n'})
                work.lay()
                os.unlink(self.place('project', 'arch/x86/sim/seam.c'))
                work.lay()
                self.assertIsNone(work_tree.read(os.path.join(work.tree, 'arch/x86/sim/seam.c')))

    def test_a_changed_patch_starts_from_the_original(self):
        for work in (self.work, self.packaged()):
            with self.subTest(source=work.source.name):
                self.fill('project', {'patches/seam/one.patch': PATCH.format(object='b.o')})
                work.lay()
                self.fill('project', {'patches/seam/one.patch': PATCH.format(object='c.o')})
                work.lay()
                self.assertEqual(work_tree.read(os.path.join(work.tree, 'arch/x86/Makefile')),
                                 makefile(['a.o', 'c.o']).encode())

    def test_a_patch_that_is_gone_is_undone(self):
        for work in (self.work, self.packaged()):
            with self.subTest(source=work.source.name):
                self.fill('project', {'patches/series': SERIES})
                work.lay()
                self.fill('project', {'patches/series': '# none\n'})
                work.lay()
                self.assertEqual(work_tree.read(os.path.join(work.tree, 'arch/x86/Makefile')),
                                 makefile(['a.o']).encode())

    def test_a_patch_that_is_in_the_kernel_already(self):
        self.fill('kdir', {'arch/x86/Makefile': makefile(['a.o', 'b.o'])})
        self.work.lay()
        self.assertEqual(self.laid('arch/x86/Makefile'), makefile(['a.o', 'b.o']).encode())

    def test_a_patch_that_does_not_apply(self):
        self.fill('kdir', {'arch/x86/Makefile': makefile(['z.o'])})
        with self.assertRaisesRegex(Failure, 'seam/one.patch does not apply to Linux 7.3.4'):
            self.work.lay()

    def test_an_overlay_file_that_the_kernel_has(self):
        self.fill('kdir', {'arch/x86/sim/seam.c': 'theirs\n'})
        with self.assertRaisesRegex(Failure, 'seam.c is in the overlay, but Linux 7.3.4 has'):
            self.work.lay()

    def test_a_patch_that_creates_a_file(self):
        text = PATCH.format(object='b.o').replace('--- a/arch/x86/Makefile', '--- /dev/null')
        self.fill('project', {'patches/seam/one.patch': text})
        with self.assertRaisesRegex(Failure, 'creates arch/x86/Makefile'):
            self.work.lay()

    def test_build_products_are_left_out(self):
        self.fill('kdir', {'.config': 'x', 'kernel/a.o': 'x', 'include/generated/b.h': 'x'})
        self.work.lay()
        for name in ('.config', 'kernel/a.o', 'include/generated/b.h'):
            self.assertIsNone(self.laid(name), name)

    def test_a_second_run_in_one_folder(self):
        with self.assertRaisesRegex(Failure, 'another run uses'):
            Build(self.place('build'), Progress(Null()))


class KdirTest(unittest.TestCase):
    def check(self, files, text):
        with tempfile.TemporaryDirectory() as kdir:
            for name, content in files.items():
                write_if_changed(os.path.join(kdir, name), content.encode())
            with self.assertRaisesRegex(UsageError, text):
                source.from_kdir(kdir)

    def test_no_folder(self):
        with self.assertRaisesRegex(UsageError, 'no such folder'):
            source.from_kdir('/nowhere/linux')

    def test_no_kernel(self):
        self.check({'Makefile': 'all:\n'}, 'not the top of a Linux source tree')

    def test_too_old(self):
        old = {**KERNEL, 'Makefile': MAKEFILE.replace('7', '6').replace('3', '15')}
        self.check(old, 'Linux 6.15.4 is older than 6.16')

    def test_half_a_checkout(self):
        files = {k: v for k, v in KERNEL.items() if 'kvm' not in k}
        self.check(files, 'tdx.c is missing')
