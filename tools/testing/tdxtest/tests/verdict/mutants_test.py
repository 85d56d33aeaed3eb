# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mutants.py: what a mutant file must hold, and what it may choose."""

import os
import tempfile
import unittest

from tdxtest.base.contents import content
from tdxtest.base.failure import Failure, UsageError
from tdxtest.verdict import mutants

DIFF = '''
diff --git a/arch/x86/kvm/vmx/tdx.c b/arch/x86/kvm/vmx/tdx.c
--- a/arch/x86/kvm/vmx/tdx.c
+++ b/arch/x86/kvm/vmx/tdx.c
@@ -1,3 +1,3 @@
 a
-b
+c
 d
'''
HEAD = 'Subject: KVM: TDX: Lose b\n\nAn oversight.\n\n'
CASES = {'a_test': ['fix.row_1.works', 'fix.row_2.works', 'global_case']}


def parse(fields, head=HEAD, diff=DIFF):
    return mutants.parse('mutants/a/b-c.patch', head + fields + diff)


class Parse(unittest.TestCase):

    def test_good(self):
        mutant = parse('Kills: a_test:fix.*\nKills: dmesg\nRuns: a_test:global_case\n')
        self.assertEqual((mutant.name, mutant.subject), ('a/b-c', 'KVM: TDX: Lose b'))
        self.assertEqual(mutant.kills, (('a_test', 'fix.*'),))
        self.assertTrue(mutant.warns)
        self.assertEqual((mutant.cpus, parse('Kills: a_test:*\nCpus: 2\n').cpus), (1, 2))
        self.assertEqual((mutant.traced, parse('Kills: a_test:*\nKernel: trace\n').traced),
                         (False, True))
        self.assertEqual((mutant.options, parse('Kills: a_test:*\nConfig: KASAN\n').options),
                         ((), ('KASAN',)))
        self.assertEqual((mutant.leaks, parse('Kills: a_test:*\nLeaks: KeyIDs\n').leaks),
                         ('', 'KeyIDs'))
        self.assertEqual(mutant.named_cases(CASES.get),
                         {'a_test': ['fix.row_1.works', 'fix.row_2.works']})
        self.assertEqual(len(mutant.run_cases(CASES.get)['a_test']), 3)

    def test_survivor(self):
        mutant = parse('Survives: the value is not used\nRuns: a_test:fix.*\n')
        self.assertEqual(mutant.survives, 'the value is not used')
        self.assertEqual(mutant.named_cases(CASES.get), {})

    def test_module(self):
        self.assertEqual(parse('Kills: a_test:*\n').module, 'kvm-intel')
        for path in ('arch/x86/kvm/x86.c', 'arch/x86/kvm/mmu/mmu.c', 'virt/kvm/kvm_main.c'):
            diff = DIFF.replace('arch/x86/kvm/vmx/tdx.c', path)
            self.assertEqual(parse('Kills: a_test:*\n', diff=diff).module, 'kvm')

    def refused(self, wanted, *args, **kwargs):
        with self.assertRaisesRegex(ValueError, wanted):
            parse(*args, **kwargs)

    def test_refused(self):
        self.refused('no "diff', 'Kills: a_test:*\n', diff='')
        self.refused('one "Subject', 'Kills: a_test:*\n', head='\nText.\n')
        self.refused('why', 'Kills: a_test:*\n', head='Subject: x\n\n')
        self.refused('either', '')
        self.refused('either', 'Kills: a_test:*\nSurvives: never\n')
        self.refused('runs no case', 'Kills: dmesg\n')
        self.refused('not like TEST:PATTERN', 'Kills: a_test\n')
        self.refused('has no value', 'Kills:\n')
        self.refused('without CONFIG_', 'Kills: a_test:*\nConfig: CONFIG KASAN\n')
        self.refused('wanted 1 to 8', 'Kills: a_test:*\nCpus: 9\n')
        self.refused('changes arch/x86/mm/fault.c', 'Kills: a_test:*\n',
                     diff=DIFF.replace('kvm/vmx/tdx.c', 'mm/fault.c'))
        self.refused('wanted one module', 'Kills: a_test:*\n',
                     diff=DIFF + DIFF.replace('vmx/tdx.c', 'x86.c'))
        self.refused('changes', 'Kills: a_test:*\n',
                     diff=DIFF.replace('--- a/arch/x86/kvm/vmx/tdx.c', '--- /dev/null'))

    def test_cases_that_are_gone(self):
        with self.assertRaisesRegex(Failure, "no case of a_test matches 'fix.row_3.*'"):
            parse('Kills: a_test:fix.row_3.*\n').named_cases(CASES.get)
        with self.assertRaisesRegex(Failure, "no test 'b_test'"):
            parse('Kills: b_test:*\n').named_cases(CASES.get)


def write(root, name, fields='Kills: tdx_a_test:*\n', head=HEAD, added=''):
    """A mutant NAME below root, which adds the line `added` or its name; gives its path."""
    path = os.path.join(root, f'{name}.patch')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(head + fields + DIFF.replace('+c', f'+{added or name}'))
    return path


class Folder(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def names(self, *words):
        return [m.name for m in mutants.chosen(words, self.root)]


class Chosen(Folder):

    def test_a_file_that_is_no_text(self):
        path = os.path.join(self.root, 'program')
        with open(path, 'wb') as f:
            f.write(b'\x7fELF\xff')
        with self.assertRaisesRegex(UsageError, "/program: 'utf-8' codec"):
            mutants.chosen([path], self.root)

    def test_by_name_and_pattern(self):
        for name in ('map_gpa/one', 'map_gpa/two', 'quote/one'):
            write(self.root, name)
        self.assertEqual(self.names(), ['map_gpa/one', 'map_gpa/two', 'quote/one'])
        self.assertEqual(self.names('map_gpa'), self.names('map_gpa/'))
        self.assertEqual(self.names('map_gpa'), ['map_gpa/one', 'map_gpa/two'])
        self.assertEqual(self.names('map_gpa/*', 'map_gpa/one.patch'),
                         ['map_gpa/one', 'map_gpa/two'])
        self.assertEqual(self.names('*/one'), ['map_gpa/one', 'quote/one'])
        self.assertEqual(self.names(os.path.join(self.root, 'quote/one.patch')), ['quote/one'])
        for word in ('map_gpa/three', 'map/*', 'one'):
            with self.assertRaisesRegex(UsageError, 'no such mutant.* map_gpa, quote'):
                self.names(word)

    def test_by_the_name_without_a_folder(self):
        write(self.root, 'map_gpa/one')
        write(self.root, 'map_gpa/lost', 'Kills: tdx_a_test:*\nWas: call-lost\n')
        for word in ('map-gpa-one', 'map_gpa-one', 'map-gpa-*', 'map-gpa-one.patch'):
            self.assertEqual(self.names(word), ['map_gpa/one'])
        self.assertEqual(self.names('call-*'), ['map_gpa/lost'])

    def test_a_file_of_elsewhere(self):
        with tempfile.TemporaryDirectory() as other:
            path = write(other, 'mine/one')
            self.assertEqual(self.names(path), ['mine/one'])


class Form(Folder):

    def problems(self):
        return list(mutants.check_form(self.root))

    def test_good(self):
        write(self.root, 'a/one')
        write(self.root, 'a/two', 'Kills: tdx_a_event_test:*\n', 'Subject: x\n\nWhy.\n\n')
        write(self.root, 'b/one', 'Survives: it does\nRuns: tdx_b_test:*\n',
              'Subject: y\n\nWhy.\n\n')
        self.assertEqual(self.problems(), [])

    def test_of_another_folder(self):
        for test, fields in (('tdx_ab_test', 'Kills: tdx_ab_test:*\n'),
                             ('tdx_b_test', 'Kills: tdx_b_test:*\nRuns: tdx_a_test:*\n'),
                             ('tdx_b_test', 'Survives: it does\nRuns: tdx_b_test:*\n')):
            write(self.root, 'a/one', fields)
            self.assertEqual(self.problems(), [f'mutants/a/one: {test} must notice it, '
                                               'and no tdx_a_test'])

    def test_those_that_a_td_notices_have_a_folder(self):
        write(self.root, 'td/one', 'Kills: td_panic:stage.end\n')
        self.assertEqual(self.problems(), [])
        write(self.root, 'a/two', 'Kills: td_panic:stage.end\n', 'Subject: x\n\nWhy.\n\n')
        self.assertEqual(self.problems(),
                         ['mutants/a/two: td_panic must notice it, and no tdx_a_test'])
        self.assertEqual([mutants.boots_td(mutants.load(os.path.join(self.root, name)))
                          for name in ('td/one.patch', 'a/two.patch')], [True, True])

    def test_out_of_place(self):
        for name in ('one', 'a/b/two'):
            write(self.root, name)
        with open(os.path.join(self.root, 'a', 'notes'), 'w', encoding='utf-8'):
            pass
        self.assertEqual(self.problems(), [f'mutants/{path}: wanted FOLDER/NAME.patch' for path in
                                           ('one.patch', 'a/notes', 'a/b/two.patch')])

    def test_twice(self):
        write(self.root, 'a/one')
        write(self.root, 'a/two')
        write(self.root, 'a/other', 'Kills: tdx_a_test:*\nWas: a-one\n',
              'Subject: x\n\nWhy.\n\n')
        self.assertEqual(self.problems(),
                         ['mutants/a/other: has the name without a folder of a/one',
                          'mutants/a/two: has the subject of a/one'])

    def test_the_same_change(self):
        write(self.root, 'a/one', added='e')
        path = write(self.root, 'b/two', 'Kills: tdx_b_test:*\n', 'Subject: y\n\nWhy.\n\n', 'e')
        self.assertEqual(self.problems(), ['mutants/b/two: has the change of a/one'])
        # Other context does not make another change, another line does.
        text = content(path).decode()
        for old, new, problems in (('@@ -1,3 +1,3 @@\n a\n', '@@ -2,2 +2,2 @@\n',
                                    ['mutants/b/two: has the change of a/one']),
                                   ('@@ -1,3 +1,3 @@', '@@ -2,3 +2,3 @@', [])):
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text.replace(old, new))
            self.assertEqual(self.problems(), problems)

    def test_name(self):
        write(self.root, 'a/One')
        self.assertEqual(self.problems(),
                         ['mutants/a/One: wanted a name of small letters, digits and dashes'])
