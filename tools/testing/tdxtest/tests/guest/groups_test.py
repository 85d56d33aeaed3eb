# SPDX-License-Identifier: GPL-2.0-only
"""Tests of groups.py: who ran in which group, and what a guest left undone."""
# pylint: disable=protected-access

import os
import tempfile
import time
import types
import unittest
from unittest import mock

from tdxtest.base.failure import Failure
from tdxtest.guest import groups
from tdxtest.tests.fakes import STARTED, FakeMachine, built
from tdxtest.verdict import ktap

HEAD = ['KTAP version 1', '1..5', 'ok 1 boot', 'ok 2 load_kvm']
POWER_OFF = ['[   9.0] reboot: Restarting system']


def group(name, *cases, spoils=False):
    args = [word for case in cases for word in ('-r', case)]
    return groups.Group(name, (('/b/kvm-intel.ko', ['tdx=1']),), (('a_test', args),), spoils)


def document(name, *lines, number=3, ok=True):
    inner = ['KTAP version 1', '1..3', 'ok 1 load_kvm', *lines]
    return ['  ' + line for line in inner] + [f'{"ok" if ok else "not ok"} {number} {name}']


PASS = ('  TAP version 13', '  1..1', '  ok 1 fix.row.works', 'ok 2 a_test', 'ok 3 unload_kvm')
FAIL = ('  TAP version 13', '  1..1', '  # wanted 1, got 2', '  a.c:7: wanted 1, got 2',
        '  not ok 1 fix.row.works', 'not ok 2 a_test # exit=1', 'ok 3 unload_kvm')


class Read(unittest.TestCase):

    def read(self, lines, *names, ended=''):
        return groups.read(HEAD + lines, [group(name, 'fix.row.works') for name in names], ended)

    def test_all_came_through(self):
        outcomes, left = self.read(document('one', *PASS) + document('two', *FAIL, ok=False)
                                   + POWER_OFF, 'one', 'two')
        self.assertEqual([o.group.name for o in outcomes], ['one', 'two'])
        self.assertEqual(left, [])
        self.assertTrue(all(o.loaded() and not o.died and not o.warned() for o in outcomes))
        case = outcomes[1].case_results('a_test')['fix.row.works']
        self.assertEqual((case.ok, case.note), (False, 'a.c:7: wanted 1, got 2'))

    def test_stopped_after_a_warning(self):
        lines = document('one', *PASS[:3], ok=False)
        lines.insert(5, '# kernel: [    1.000000] WARNING: CPU: 0 at tdx.c:7')
        outcomes, left = self.read(lines + ['# stopped after one: 1 group(s) left'] + POWER_OFF,
                                   'one', 'two')
        self.assertIn('WARNING: CPU: 0', outcomes[0].warned())
        self.assertEqual([g.name for g in left], ['two'])

    def test_died_within(self):
        lines = document('one', *PASS) + document('two', *PASS[:2])[:-1]
        lines.append('[    3.0] Kernel panic - not syncing: Fatal exception')
        outcomes, left = self.read(lines, 'one', 'two', 'three', ended='the kernel panicked')
        self.assertEqual([bool(o.died) for o in outcomes], [False, True])
        self.assertIn('panic', outcomes[1].died)
        self.assertEqual([g.name for g in left], ['three'])
        self.assertTrue(outcomes[1].unended('a_test'))

    def test_hung_test(self):
        outcomes, _ = self.read(document('one', '  TAP version 13', '  1..2',
                                         'not ok 2 a_test # TIMEOUT 60 seconds'), 'one')
        self.assertEqual(outcomes[0].unended('a_test'), 'TIMEOUT 60 seconds')

    def test_module_refused(self):
        lines = ['  KTAP version 1', '  1..3', '  # load_kvm: /lib/one/kvm-intel.ko: No such file',
                 '  not ok 1 load_kvm', '  not ok 2 a_test # no KVM', '  ok 3 unload_kvm',
                 'not ok 3 one']
        outcomes, _ = self.read(lines, 'one')
        self.assertFalse(outcomes[0].loaded())

    def test_another_group(self):
        with self.assertRaisesRegex(Failure, 'ran two, wanted one'):
            self.read(document('two', *PASS), 'one')

    def test_a_log_before_the_version_line_is_none(self):
        outcomes, left = groups.read(['  KTAP version 1'] + HEAD, [group('one')], 'silence')
        self.assertEqual((outcomes, len(left)), ([], 1))


class Plan(unittest.TestCase):

    def test_lines(self):
        self.assertEqual(group('one', 'fix.row.works').plan_lines(),
                         ['group one', 'module /lib/one/kvm-intel.ko tdx=1',
                          'test a_test -r fix.row.works'])

    def test_deal(self):
        deck = [group('leaks', 'a', spoils=2), group('warns', 'a', spoils=1), group('zero', 'a'),
                group('big', *'abcdefghijklm'),
                group('one', 'a')]
        shares = groups.deal(deck, 2)
        self.assertEqual([[g.name for g in share] for share in shares],
                         [['big', 'one'], ['zero', 'warns', 'leaks']])
        self.assertEqual(len(groups.deal(deck[:1], 8)), 1)


class ConsoleOfGroups(unittest.TestCase):

    def test_power_off_is_seen(self):
        console = ktap.Console()
        for line in HEAD + document('one', *FAIL, ok=False) + POWER_OFF:
            console.feed(line)
        self.assertTrue(console.powered_off)
        self.assertEqual(console.tests[-1].result.name, 'one')



class Stopped(unittest.TestCase):
    """A runner whose guests do one group each, or fail."""

    def runner(self, boots):
        machine = types.SimpleNamespace(prepare=lambda build: None)
        runner = groups.Runner(built(machine=machine), 'try', (), 1)
        runner._image = lambda folder, share: [group.name for group in share]
        runner._boot = boots
        return runner

    def test_what_is_left_runs_in_the_next_guest(self):
        seen = []

        def boots(number, image, folder):
            seen.append((number, image))
            return HEAD + document(image[0], *FAIL, ok=False) + POWER_OFF, ''
        shares = [[group('a', 'f.v.t'), group('b', 'f.v.t')], [group('c', 'f.v.t')]]
        outcomes = self.runner(boots).run(shares)
        self.assertEqual([outcome.group.name for outcome in outcomes], ['a', 'b', 'c'])
        self.assertEqual(sorted(seen), [(1, ['a', 'b']), (1, ['b']), (2, ['c'])])

    def test_no_group_runs_after_one_that_spoils_the_guest_unseen(self):
        seen = []

        def boots(_number, image, _folder):
            seen.append(image)
            lines = [line for number, name in enumerate(image, 3)
                     for line in document(name, *PASS, number=number)]
            return HEAD + lines + POWER_OFF, ''
        share = [group('a', 'f.v.t'), group('b', 'f.v.t', spoils=2),
                 group('c', 'f.v.t', spoils=2)]
        outcomes = self.runner(boots).run([share])
        self.assertEqual([outcome.group.name for outcome in outcomes], ['a', 'b', 'c'])
        self.assertEqual(seen, [['a', 'b'], ['c']])

    def test_the_machine_dies(self):
        runner = self.runner(None)
        del runner._boot
        runner.built = runner.built.with_boot(
            machine=FakeMachine(STARTED + 'os.kill(os.getpid(), 9)'))
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(Failure, 'the machine died: fake ended with status -9'):
                runner._boot(1, 'image', folder)

    def test_a_share_that_fails_ends_the_others(self):
        runner = self.runner(None)
        del runner._boot
        # The first guest is silent for a minute.
        program = 'time.sleep(60) if "/1/" in out.name else os.kill(os.getpid(), 9)'
        runner.built = runner.built.with_boot(machine=FakeMachine(STARTED + program))
        with tempfile.TemporaryDirectory() as folder:
            def place(*names):
                path = os.path.join(folder, *names)
                os.makedirs(path, exist_ok=True)
                return path
            runner.built.build.folder = place
            images = runner._image = mock.Mock(return_value='image')
            start = time.monotonic()
            with self.assertRaisesRegex(Failure, 'the machine died: fake ended with status -9'):
                runner.run([[group('a', 'f.v.t')], [group('b', 'f.v.t')]])
        self.assertLess(time.monotonic() - start, 30)
        # Nothing is prepared for what is left of a share that was ended.
        self.assertEqual(images.call_count, 2)

    def test_a_guest_that_does_nothing(self):
        with self.assertRaisesRegex(Failure, 'none of its groups'):
            self.runner(lambda *args: (HEAD, 'silence')).run([[group('a', 'f.v.t')]])
