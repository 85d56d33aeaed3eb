# SPDX-License-Identifier: GPL-2.0-only
"""Tests of review.py: what changed, and how it is told."""

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure
from tdxtest.commands import review
from tdxtest.guest import groups
from tdxtest.tree import mbox, work_tree
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
