# SPDX-License-Identifier: GPL-2.0-only
"""Tests of review.py: warnings that come and go, and guests that hang."""

import os
import unittest

from tdxtest.base.failure import EXIT_FAIL, EXIT_PASS
from tdxtest.base.paths import TEST_DATA
from tdxtest.commands import review
from tdxtest.guest import groups
from tdxtest.tests.commands import review_test
from tdxtest.verdict import ktap, review_report

TDX = 'arch/x86/kvm/vmx/tdx.c'


def warns(name, *places):
    """An outcome with a warning at each place, "FILE:LINE FUNCTION"."""
    lines = [f'# kernel: [    {n}.000000] WARNING: {place.replace(" ", " at ")}+0x1a1/0x2b0 '
             f'[kvm_intel], CPU#{n}: tdx_test/{70 + n}' for n, place in enumerate(places, 1)]
    return review_test.outcome(*lines, *review_test.test(2, ('ok', 'f.x')), name=name)


class Warnings(unittest.TestCase):

    def check(self, base, patched, new=(), gone=(), versions=None):
        found = review_test.reviewed(warns(review.BASE, *base),
                                     warns(review.PATCHED, *patched), versions=versions)
        for told, places in ((found.problems, new), (found.gone, gone)):
            self.assertEqual([' '.join((line.split('WARNING: ')[1].split('+')[0]).split(' at '))
                              for line in told], list(places))
        self.assertEqual(found.status(), EXIT_FAIL if new else EXIT_PASS)
        return found

    def test_after_one_that_the_base_has(self):
        found = self.check([f'{TDX}:10 a', f'{TDX}:20 b'],
                           [f'{TDX}:10 a', f'{TDX}:20 b', f'{TDX}:30 c', f'{TDX}:40 d'],
                           new=[f'{TDX}:30 c', f'{TDX}:40 d'])
        self.assertEqual(found.verdict(), '2 problem(s); 1 case(s) as before')

    def test_a_fourth_one(self):
        base = [f'{TDX}:1580 tdx_get_quote', f'{TDX}:2957 tdx_vcpu_ioctl',
                f'{TDX}:3114 tdx_vcpu_get_cpuid']
        new = f'{TDX}:3277 tdx_vcpu_init_mem_region'
        for at in range(4):
            found = self.check(base, base[:at] + [new] + base[at:], new=[new])
            self.assertEqual(len(found.red_before), 3)
        self.check(base, base)

    def test_gone(self):
        found = self.check([f'{TDX}:10 a', f'{TDX}:20 b'], [f'{TDX}:20 b'], gone=[f'{TDX}:10 a'])
        text = review_report.text(found)
        self.assertEqual([line.split(':')[0] for line in text if 'WARNING' in line],
                         ['already without the series', 'gone with the series'])
        self.assertEqual(found.verdict(), '1 problem(s) gone; 1 case(s) as before')
        self.assertIn('### Gone with the series', review_report.markdown(found))
        self.assertIn('<li>gone with the series:', review_report.html(found))

    def test_in_lines_that_the_series_moves(self):
        before = b''.join(b'line %d;\n' % n for n in range(1, 40))
        after = before.replace(b'line 5;\n', b'line 5;\nWARN_ON_ONCE(1);\n')
        moved = {TDX: (before, after)}
        self.check([f'{TDX}:10 a'], [f'{TDX}:11 a'], versions=moved)
        self.check([f'/tree/{TDX}:10 a'], [f'{TDX}:11 a'], versions=moved)
        self.check([f'{TDX}:10 a'], [f'{TDX}:11 a', f'{TDX}:6 a'], new=[f'{TDX}:6 a'],
                   versions=moved)
        # The base's line 6 is another one than the line 6 of the series.
        self.check([f'{TDX}:6 a'], [f'{TDX}:6 a'], new=[f'{TDX}:6 a'], gone=[f'{TDX}:6 a'],
                   versions=moved)

    def test_the_sum_of_a_test_counts_once(self):
        def summed(name, count):
            return review_test.outcome(
                '# kernel: [    1.000000] WARNING: x.c:1 at f+0x1/0x2',
                *review_test.test(2, ('ok', 'f.x'))[:-1],
                f'# a_test: the kernel warned {count} time(s), first: W', 'not ok 2 a_test',
                name=name)

        found = review_test.reviewed(summed(review.BASE, 1), summed(review.PATCHED, 2))
        self.assertEqual((found.problems, found.status()), ([], EXIT_PASS))


class Hangs(unittest.TestCase):

    BEFORE = b'static int tdx_handle_ept_violation(void)\n{\n\treturn 0;\n}\n'
    AFTER = BEFORE.replace(b'\treturn 0;\n', b'\tfor (;;)\n\t\tcpu_relax();\n')

    def reviewed(self):
        names = ('tdx_smoke_test', 'tdx_memory_fault_test')
        tests = tuple((name, []) for name in names)
        with open(os.path.join(TEST_DATA, 'review', 'silent.log'), encoding='utf-8') as f:
            [_, patched], _ = groups.read(f, [groups.Group(review.BASE, (), tests[:1]),
                                              groups.Group(review.PATCHED, (), tests)],
                                          'no console output for 180 s')
        console = ktap.Console()
        for line in ('KTAP version 1', '1..4', 'ok 1 load_kvm',
                     *review_test.test(2, ('ok', 'smoke.run'))[:-1], 'ok 2 tdx_smoke_test',
                     *review_test.test(3, *(('ok', f'memory_fault.{row}.resolved') for row in
                                            ('private', 'shared', 'both')))[:-1],
                     'ok 3 tdx_memory_fault_test', 'ok 4 unload_kvm'):
            console.feed(line)
        base = groups.Outcome(groups.Group(review.BASE, (), tests), console)
        return review_test.reviewed(base, patched, versions={TDX: (self.BEFORE, self.AFTER)})

    def test_come_first(self):
        found = self.reviewed()
        where = 'hangs in tdx_memory_fault_test:memory_fault.shared.resolved'
        self.assertEqual((found.changes, found.problems, found.not_run, found.status()),
                         ([], [], 2, EXIT_FAIL))
        self.assertEqual(found.verdict(), f'{where}, 2 not run; 2 case(s) as before')
        lines = review_report.text(found)
        self.assertEqual(lines[3:5], [f'the guest {where}: no console output for 180 s',
                                      '  tdx_handle_ept_violation  <- changed by the series'])
        self.assertIn('2 case(s) were not run after it', lines)
        self.assertNotIn('vanished', ' '.join(lines))
        for page in (review_report.markdown(found), review_report.html(found)):
            self.assertIn(f'the guest {where}', page)
            self.assertIn('tdx_handle_ept_violation', page)
