# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mutate.py: which verdict a mutant gets."""
# pylint: disable=protected-access

import dataclasses
import types
import unittest
from unittest import mock

from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure
from tdxtest.commands import mutate
from tdxtest.guest import groups
from tdxtest.tests.fakes import built
from tdxtest.verdict import ktap, mutants

NAMED = {'a_test': ['fix.one', 'fix.two']}
WARNING = '# kernel: [    1.000000] WARNING: CPU: 0 PID: 7 at arch/x86/kvm/vmx/tdx.c:7'


def mutant(name='m', warns=False, survives='', kills=(('a_test', 'fix.*'),)):
    return mutants.Mutant(name, f'mutants/{name}.patch', f'KVM: TDX: {name}',
                          () if survives else kills, warns, (), survives, 1)


def outcome(one, two, *, extra=(), result='ok 2 a_test', load='ok 1 load_kvm', died=''):
    """What a group printed. one and two: "ok", "not ok", or None for no line."""
    console = ktap.Console()
    cases = [f'  {verdict} {n} fix.{name}' for n, (name, verdict) in
             enumerate((('one', one), ('two', two)), 1) if verdict]
    for line in ['KTAP version 1', '1..3', load, '  TAP version 13', '  1..2', *cases, *extra,
                 *([result] if result else []), 'ok 3 unload_kvm']:
        console.feed(line)
    return groups.Outcome(groups.Group('m', (), (('a_test', []),)), console, died)


class Judge(unittest.TestCase):

    def judge(self, seen, named=None, broken=(), **kwargs):
        return mutate.judge(mutant(**kwargs), NAMED if named is None else named, seen,
                            set(broken))

    def test_killed(self):
        verdict = self.judge(outcome('not ok', 'not ok', result='not ok 2 a_test # exit=1'))
        self.assertEqual((verdict.kind, verdict.red, verdict.problems), (mutate.KILLED, 2, []))

    def test_others_are_noted(self):
        verdict = self.judge(outcome('not ok', 'not ok'), {'a_test': ['fix.one']})
        self.assertEqual((verdict.kind, verdict.red), (mutate.KILLED, 1))
        self.assertIn('1 case(s) that it does not name failed too: fix.two', verdict.notes[0])

    def test_partly(self):
        verdict = self.judge(outcome('not ok', 'ok'))
        self.assertEqual(verdict.kind, mutate.PARTLY)
        self.assertEqual(verdict.problems, ['a_test: fix.two did not fail'])

    def test_survived(self):
        self.assertEqual(self.judge(outcome('ok', 'ok')).kind, mutate.SURVIVED)

    def test_a_skip_is_no_kill(self):
        self.assertEqual(self.judge(outcome('ok', 'ok', result='ok 2 a_test # SKIP')).kind,
                         mutate.SURVIVED)

    def test_a_case_that_was_not_run_is_no_kill(self):
        self.assertEqual(self.judge(outcome('not ok', None)).kind, mutate.PARTLY)

    def test_a_hang_is_a_kill(self):
        verdict = self.judge(outcome('not ok', None, result='not ok 2 a_test # TIMEOUT 60 seconds'))
        self.assertEqual(verdict.kind, mutate.KILLED)

    def test_an_unnamed_warning_kills_nothing(self):
        verdict = self.judge(outcome('ok', 'ok', extra=[WARNING]))
        self.assertEqual(verdict.kind, mutate.SURVIVED)
        self.assertIn('the kernel warned', verdict.notes[0])

    def test_a_named_warning(self):
        self.assertEqual(self.judge(outcome('ok', 'ok', extra=[WARNING]), {}, warns=True).kind,
                         mutate.KILLED)
        self.assertEqual(self.judge(outcome('ok', 'ok'), {}, warns=True).kind, mutate.SURVIVED)
        self.assertEqual(self.judge(outcome('not ok', 'not ok'), warns=True).problems,
                         ['the kernel did not warn'])

    def test_a_dead_guest(self):
        dead = outcome('not ok', None, result='', died='the kernel panicked')
        self.assertEqual(self.judge(dead).kind, mutate.DIED)
        self.assertEqual(self.judge(dead, warns=True).kind, mutate.KILLED)

    def test_not_loaded(self):
        self.assertEqual(self.judge(outcome(None, None, load='not ok 1 load_kvm')).kind,
                         mutate.UNTRIED)

    def test_red_without_it(self):
        verdict = self.judge(outcome('not ok', 'not ok'), broken=[('a_test', 'fix.two')])
        self.assertEqual(verdict.kind, mutate.UNTRIED)
        self.assertIn('fix.two does not pass without the mutant', verdict.problems[0])

    def test_explained(self):
        self.assertEqual(self.judge(outcome('ok', 'ok'), {}, survives='why').kind,
                         mutate.EXPLAINED)
        self.assertEqual(self.judge(outcome('ok', 'not ok'), {}, survives='why').kind,
                         mutate.REFUTED)


class Base(unittest.TestCase):

    def test_sound_or_not(self):
        self.assertEqual(mutate.unsound(outcome('ok', 'not ok')), '')
        self.assertEqual(mutate.unsound(outcome('ok', None, result='not ok 2 a_test # TIMEOUT 30 '
                                                'seconds')), 'a_test: TIMEOUT 30 seconds')
        self.assertEqual(mutate.unsound(outcome('ok', 'ok', result='')), 'a_test: it was not run')
        self.assertIn('refused', mutate.unsound(outcome(None, None, load='not ok 1 load_kvm')))
        self.assertEqual(mutate.unsound(outcome('ok', None, died='silence')), 'silence')
        self.assertIn('WARNING', mutate.unsound(outcome('ok', 'ok', extra=[WARNING])))


    def test_what_passed(self):
        self.assertEqual(mutate.passed(outcome('ok', 'not ok')), {('a_test', 'fix.one')})
        self.assertEqual(mutate.passed(outcome('ok', None)), {('a_test', 'fix.one')})
        self.assertEqual(mutate.passed(outcome('ok', 'ok', extra=['  ok 3 fix.three # SKIP why'])),
                         {('a_test', 'fix.one'), ('a_test', 'fix.two')})


class Kernels(unittest.TestCase):

    def kernels(self, *traced, trace=0):
        """[(events that the kernel is built to trace, names of its mutants)]"""
        chosen = [dataclasses.replace(mutant(str(number)), traced=one)
                  for number, one in enumerate(traced)]
        with mock.patch.object(mutate.stages, 'compile_all', lambda laid: laid):
            return [(laid.request.boot.trace, [one.name for one in some])
                    for laid, some in mutate.by_kernel(built(trace=trace), chosen)]

    def test_each_mutant_gets_the_kernel_that_it_needs(self):
        self.assertEqual(self.kernels(False, True, False), [(0, ['0', '2']), (1, ['1'])])
        self.assertEqual(self.kernels(True), [(1, ['0'])])
        self.assertEqual(self.kernels(False), [(0, ['0'])])

    def test_one_kernel_is_enough_if_all_are_traced(self):
        self.assertEqual(self.kernels(False, True, trace=50), [(50, ['0', '1'])])


class Tried(unittest.TestCase):
    """Verdicts of a Trial whose runner gives outcomes that are at hand."""

    def kinds(self, run, module='kvm-intel'):
        made = built(
            kernel=types.SimpleNamespace(modules=lambda: [('kvm.ko', []), ('kvm-intel.ko', [])]),
            suite=types.SimpleNamespace(cases_of=lambda test: ['fix.one', 'fix.two']))
        trial = mutate.Trial(made, [mutant()], False)
        trial.variants = {'m': types.SimpleNamespace(path='m.ko')}
        with mock.patch.object(groups.Runner, 'run', run):
            trial._run(trial.chosen, made, module)
        return trial.verdicts['m']

    def test_a_module_that_others_are_loaded_after(self):
        decks = []

        def run(runner, shares):
            decks.append((runner.outer, [group.modules for group in shares[0]]))
            raise Failure('enough')

        self.kinds(run, 'kvm')
        self.kinds(run)
        self.assertEqual(decks[0][0], [])
        self.assertIn((('m.ko', []), ('kvm-intel.ko', [])), decks[0][1])
        self.assertIn((('kvm.ko', []), ('kvm-intel.ko', [])), decks[0][1])
        self.assertEqual(decks[1][0], [('kvm.ko', [])])
        self.assertIn((('m.ko', []),), decks[1][1])

    def both(self, base):
        dead = outcome('not ok', 'not ok', result='not ok 2 a_test # exit=1')
        return lambda runner, shares: [
            dataclasses.replace(found, group=dataclasses.replace(found.group, name=name))
            for name, found in (('m', dead), (mutate.BASE, base))]

    def test_killed(self):
        self.assertEqual(self.kinds(self.both(outcome('ok', 'ok'))).kind, mutate.KILLED)

    def test_not_green_in_the_base(self):
        for two in ('not ok', None):
            verdict = self.kinds(self.both(outcome('ok', two)))
            self.assertEqual((verdict.kind, verdict.problems), (mutate.UNTRIED, [
                'a_test: fix.two does not pass without the mutant']))

    def test_the_machine_dies(self):
        def run(runner, shares):
            raise Failure('the machine died')
        verdict = self.kinds(run)
        self.assertEqual((verdict.kind, verdict.problems), (mutate.UNTRIED, ['the machine died']))


class LeftOut(unittest.TestCase):

    def verdicts(self, has):
        made = built(kernel=types.SimpleNamespace(has=has))
        trial = mutate.Trial(made, [dataclasses.replace(mutant(), options=('FAULT_INJECTION',))],
                             False)
        trial._leave_out()
        return trial.verdicts

    def test_of_a_kernel_without_the_option(self):
        verdict = self.verdicts(lambda option: False)['m']
        self.assertEqual((verdict.kind, verdict.notes),
                         (mutate.ELSEWHERE, ['needs CONFIG_FAULT_INJECTION']))

    def test_of_a_kernel_with_it(self):
        self.assertEqual(self.verdicts(lambda option: option == 'FAULT_INJECTION'), {})


class Summary(unittest.TestCase):

    def summary(self, *kinds):
        return mutate.summary([mutate.Verdict(mutant(f'm{n}'), kind, problems=['p'])
                               for n, kind in enumerate(kinds)], '7.3.4')

    def test_all_killed(self):
        status, lines = self.summary(mutate.KILLED, mutate.KILLED, mutate.EXPLAINED)
        self.assertEqual(status, EXIT_PASS)
        self.assertEqual(lines, ['3 mutant(s): 2 killed, 1 explained; kill rate 100.0 % '
                                 '(Linux 7.3.4)'])

    def test_survivor_is_named(self):
        status, lines = self.summary(mutate.KILLED, mutate.SURVIVED, mutate.UNTRIED)
        self.assertEqual(status, EXIT_FAIL)
        self.assertIn('survived: m1 (KVM: TDX: m1)', lines)
        self.assertIn('kill rate 50.0 %', lines[-1])

    def test_not_tried(self):
        self.assertEqual(self.summary(mutate.KILLED, mutate.UNTRIED)[0], EXIT_NOT_RUN)

    def test_left_to_another_kernel(self):
        status, lines = self.summary(mutate.KILLED, mutate.ELSEWHERE)
        self.assertEqual(status, EXIT_PASS)
        self.assertEqual(lines, ['2 mutant(s): 1 killed, 1 left to another kernel; kill rate '
                                 '100.0 % (Linux 7.3.4)'])
        self.assertEqual(self.summary(mutate.ELSEWHERE)[0], EXIT_NOT_RUN)
