# SPDX-License-Identifier: GPL-2.0-only
"""Tests of review.py and what it is made of: what changed, and how it is told."""

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure, UsageError
from tdxtest.commands import review
from tdxtest.guest import groups
from tdxtest.kvm import modules, rebuild
from tdxtest.tree import kept, mbox, work_tree
from tdxtest.verdict import ktap, review_report

SERIES = mbox.Series('KVM: <Two> things', 2, (mbox.Patch('KVM: One', 1, 1, 2, b''),))


def outcome(*lines, name=review.BASE, died=''):
    console = ktap.Console()
    for line in ('KTAP version 1', '1..3', 'ok 1 load_kvm', *lines):
        console.feed(line)
    return groups.Outcome(groups.Group(name, (), ()), console, died)


def test(number, *cases):
    """cases: (verdict, name) or (verdict, name, what it said)."""
    lines = ['  TAP version 13', f'  1..{len(cases)}']
    for n, (verdict, name, *said) in enumerate(cases, 1):
        lines += [f'  {text}' for text in said]
        lines.append(f'  {verdict} {n} {name}')
    red = any(case[0] == 'not ok' for case in cases)
    return [*lines, f'{"not ok" if red else "ok"} {number} a_test']


def comparison(before, after):
    changes, same = review.compare(review.case_results([outcome(*before)]),
                                   review.case_results([outcome(*after)]))
    return review.Comparison(SERIES, '7.3.4', 'single objects', changes, [], same, [], ['README'])


class Compare(unittest.TestCase):

    def test_what_changed(self):
        found = comparison(
            test(2, ('ok', 'f.same'), ('ok', 'f.red'), ('not ok', 'f.green'), ('ok', 'f.gone')),
            test(2, ('ok', 'f.same'), ('not ok', 'f.red', 'R10: wanted 0, got 1 & more'),
                 ('ok', 'f.green'), ('ok', 'f.new'), ('ok', 'f.x # SKIP no')))
        self.assertEqual({c.case: c.kind() for c in found.changes},
                         {'f.red': 'went red', 'f.green': 'went green', 'f.gone': 'vanished',
                          'f.new': 'appeared', 'f.x': 'appeared'})
        self.assertEqual((found.same, found.status()), (1, EXIT_FAIL))
        text = '\n'.join(review_report.text(found))
        self.assertIn('went red:\n  a_test:f.red\n    R10: wanted 0, got 1 & more', text)
        self.assertIn('1 case(s) as before', text)
        self.assertIn('- `a_test:f.red`\n  R10: wanted 0', review_report.markdown(found))
        page = review_report.html(found)
        self.assertIn('got 1 &amp; more', page)
        self.assertIn('KVM: &lt;Two&gt; things v2', page)

    def test_nothing_changed(self):
        found = comparison(test(2, ('ok', 'f.same')), test(2, ('ok', 'f.same')))
        self.assertEqual((found.status(), found.verdict()),
                         (EXIT_PASS, 'no case changed; 1 case(s) as before'))

    def test_green_is_no_fault(self):
        found = comparison(test(2, ('not ok', 'f.x')), test(2, ('ok', 'f.x')))
        self.assertEqual(found.status(), EXIT_PASS)

    def test_a_finding_is_fixed(self):
        before = test(2, ('ok', 'f.x # XFAIL finding 7', 'wanted 0, got 1'),
                      ('ok', 'f.y # XFAIL finding 8'))
        found = comparison(before, test(2, ('ok', 'f.x # XPASS finding 7'),
                                        ('ok', 'f.y # XFAIL finding 8')))
        self.assertEqual((found.status(), found.verdict()),
                         (EXIT_PASS, '1 finding 7 fixed; 1 case(s) as before'))
        self.assertIn('finding 7 fixed: a_test:f.x', review_report.text(found))
        self.assertIn('- `a_test:f.x`', review_report.markdown(found))
        self.assertIn('<tr class="green"><td>finding 7 fixed', review_report.html(found))

    def test_a_finding_comes_back(self):
        found = comparison(test(2, ('ok', 'f.x # XPASS finding 7')),
                           test(2, ('ok', 'f.x # XFAIL finding 7', 'wanted 0, got 1')))
        self.assertEqual((found.changes[0].kind(), found.status()), ('went red', EXIT_FAIL))
        self.assertIn('wanted 0, got 1', found.changes[0].note)
        self.assertIn('<tr class="red">', review_report.html(found))

    def test_now_skipped(self):
        found = comparison(test(2, ('ok', 'f.x')), test(2, ('ok', 'f.x # SKIP no')))
        self.assertEqual((found.changes[0].kind(), found.changes[0].note, found.status()),
                         ('was ok, is skipped', 'SKIP no', EXIT_FAIL))
        self.assertIn('<tr class="red"><td>was ok, is skipped', review_report.html(found))
        found = comparison(test(2, ('not ok', 'f.x')), test(2, ('ok', 'f.x # SKIP no')))
        self.assertEqual(found.status(), EXIT_PASS)


def reviewed(*outcomes, versions=None):
    """The Comparison of a Review whose guests did what `outcomes` say.

    versions: {path: (before, after)} of what the series changes.
    """
    built = mock.Mock()
    built.work.out.return_value = '/nowhere'
    built.work.tree = '/nowhere'
    made = review.Review(built, SERIES)
    made.kernel, made.modules, made.built = built.kernel, {}, 'single objects'
    made.patched = mock.Mock(files={'tdx.c': b''}, built_files=lambda: ['tdx.c'],
                             versions=lambda: versions or {}, notes=[],
                             inlined=lambda name, offset: [])
    built.kernel.modules.return_value = []
    with mock.patch('tdxtest.guest.shards.split', return_value=[[]]), \
            mock.patch.object(made, '_boot', return_value=outcomes):
        return made.run([])


class Base(unittest.TestCase):

    def test_is_asked_first(self):
        red = outcome(*test(2, ('not ok', 'f.x')))
        with self.assertRaisesRegex(Failure, 'the base says nothing'):
            reviewed(red, outcome(*test(2, ('not ok', 'f.x')), name=review.PATCHED))

    GOOD = outcome(*test(2, ('ok', 'f.x')))
    RED = outcome(*test(2, ('not ok', 'f.x'), ('ok', 'f.y # SKIP no')))
    DIED = outcome(died='a panic')

    def check(self, *outcomes, patched=RED, says=''):
        if not says:
            review.check_base(list(outcomes), [patched])
            return
        with self.assertRaisesRegex(Failure, f'^the base says nothing: {says}') as caught:
            review.check_base(list(outcomes), [patched])
        self.assertEqual(caught.exception.status, EXIT_NOT_RUN)

    def test_is_a_measure(self):
        self.check(outcome(*test(2, ('ok', 'f.x'), ('not ok', 'f.y'))),
                   outcome(*test(2, ('ok', 'f.z # SKIP no'))))
        # A series that mends something.
        self.check(self.RED, patched=self.GOOD)
        self.check(self.DIED, patched=self.GOOD)

    def test_is_none(self):
        refused = groups.Outcome(groups.Group('x', (), ()), ktap.Console())
        self.check(self.GOOD, refused, says='the kernel refused the modules')
        self.check(self.GOOD, self.DIED, patched=self.DIED,
                   says='the guest did not get through: a panic')
        self.check(self.RED, says='no case passed')
        self.check(outcome('not ok 2 a_test # exit=1'),
                   says='no case passed; a_test: not ok: exit=1')


class Output(unittest.TestCase):

    def test_dash_is_standard_output(self):
        found = comparison(test(2, ('ok', 'f.x')), test(2, ('ok', 'f.x')))
        out, told = io.StringIO(), io.StringIO()
        with tempfile.TemporaryDirectory() as folder, mock.patch('tdxtest.tree.mbox.read'), \
                mock.patch('tdxtest.guest.stages.prepare') as prepare, \
                mock.patch('tdxtest.commands.review.Review') as made, \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            made.return_value.run.return_value = found
            page = os.path.join(folder, 'new', 'page.html')
            review.run(program.parse_arguments(['review', '--markdown', '-', '--html', page, 'x']))
            self.assertEqual(work_tree.read(page).decode(), review_report.html(found))
            # What goes to standard output has it for itself.
            prepare.call_args.args[1].line('a step')
        self.assertEqual((out.getvalue(), told.getvalue()),
                         (review_report.markdown(found), 'a step\n'))


class Problems(unittest.TestCase):

    def test_a_clean_run(self):
        self.assertEqual(list(review.problems([outcome(*test(2, ('ok', 'f.x')))])), [])
        self.assertEqual(list(review.problems([outcome(*test(2, ('not ok', 'f.x')))])), [])

    def test_others(self):
        self.assertIn('refused', list(review.problems([groups.Outcome(
            groups.Group('x', (), ()), ktap.Console())]))[0])
        self.assertIn('did not get through: a panic',
                      list(review.problems([outcome(died='a panic')]))[0])
        warned = outcome('# kernel: [    1.000000] WARNING: CPU: 0 at tdx.c:1')
        self.assertIn('the kernel warned', list(review.problems([warned]))[0])
        hung = outcome('  TAP version 13', 'not ok 2 a_test # TIMEOUT 900 seconds')
        self.assertEqual(list(review.problems([hung])), ['a_test: TIMEOUT 900 seconds'])


    def test_the_same_in_another_run(self):
        def warned(name, time, cpu, pid, address, text='WARNING: CPU: {} PID: {} at tdx.c:1 '
                                                       'tdx_run+{}/0x90, swapper/{}'):
            line = f'# kernel: [   {time}] ' + text.format(cpu, pid, address, cpu)
            return outcome(line, *test(2, ('ok', 'f.x')), name=name)

        before = warned(review.BASE, '1.000000', 0, 71, '0x12')
        found = reviewed(before, warned(review.PATCHED, '22.123456', 1, 1234, '0x1a'))
        self.assertEqual((found.problems, found.status()), ([], EXIT_PASS))
        self.assertIn('CPU: 0 PID: 71', found.red_before[0])
        found = reviewed(before, warned(review.PATCHED, '2.000000', 0, 71, '0x12',
                                        'WARNING: CPU: {} PID: {} at tdx.c:2 tdx_run+{}, init/{}'))
        self.assertEqual(found.problems, ['the kernel warned: [   2.000000] WARNING: CPU: 0 '
                                          'PID: 71 at tdx.c:2 tdx_run+0x12, init/0'])


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


class SavedCommands(unittest.TestCase):

    COMMAND = "gcc -Wp,-MMD,k/.tdx.o.d -DX='\"a b\"' -c -o k/tdx.o /t/k/tdx.c ; objtool k/tdx.o"

    def test_read_and_replace(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, '.tdx.o.cmd'), 'w', encoding='utf-8') as f:
                f.write("savedcmd_k/tdx.o := gcc -DX='$(pound)' -c $$A\n\nsource_x := y\n")
            self.assertEqual(modules.saved_command(os.path.join(folder, 'tdx.o')),
                             "gcc -DX='#' -c $A")
            with self.assertRaisesRegex(Failure, 'is not built'):
                modules.saved_command(os.path.join(folder, 'main.o'))

    def test_replaced(self):
        text = modules.replaced(self.COMMAND, 'k/tdx.o', '/n/tdx.o')
        self.assertIn('-o /n/tdx.o /t/k/tdx.c ; objtool /n/tdx.o', text)
        self.assertIn('-MMD,k/.tdx.o.d', text)
        self.assertIn('-MMD,/n/d ', modules.replaced(self.COMMAND, 'k/.tdx.o.d', '/n/d'))
        with self.assertRaisesRegex(Failure, 'does not name k/main.o'):
            modules.replaced(self.COMMAND, 'k/main.o', '/n/main.o')
