# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mutants.py: what a mutant file must hold, and what it may choose."""

import os
import tempfile
import unittest

import mutants
from failure import Failure, UsageError

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
    return mutants.parse('mutants/a-b.patch', head + fields + diff)


class Parse(unittest.TestCase):

    def test_good(self):
        mutant = parse('Kills: a_test:fix.*\nKills: dmesg\nRuns: a_test:global_case\n')
        self.assertEqual((mutant.name, mutant.subject), ('a-b', 'KVM: TDX: Lose b'))
        self.assertEqual(mutant.kills, (('a_test', 'fix.*'),))
        self.assertTrue(mutant.warns)
        self.assertEqual((mutant.cpus, parse('Kills: a_test:*\nCpus: 2\n').cpus), (1, 2))
        self.assertEqual((mutant.leaks, parse('Kills: a_test:*\nLeaks: KeyIDs\n').leaks),
                         ('', 'KeyIDs'))
        self.assertEqual(mutant.named_cases(CASES.get),
                         {'a_test': ['fix.row_1.works', 'fix.row_2.works']})
        self.assertEqual(len(mutant.run_cases(CASES.get)['a_test']), 3)

    def test_survivor(self):
        mutant = parse('Survives: the value is not used\nRuns: a_test:fix.*\n')
        self.assertEqual(mutant.survives, 'the value is not used')
        self.assertEqual(mutant.named_cases(CASES.get), {})

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
        self.refused('wanted 1 to 8', 'Kills: a_test:*\nCpus: 9\n')
        self.refused('changes arch/x86/kvm/x86.c', 'Kills: a_test:*\n',
                     diff=DIFF.replace('vmx/tdx.c', 'x86.c'))
        self.refused('changes', 'Kills: a_test:*\n',
                     diff=DIFF.replace('--- a/arch/x86/kvm/vmx/tdx.c', '--- /dev/null'))

    def test_cases_that_are_gone(self):
        with self.assertRaisesRegex(Failure, "no case of a_test matches 'fix.row_3.*'"):
            parse('Kills: a_test:fix.row_3.*\n').named_cases(CASES.get)
        with self.assertRaisesRegex(Failure, "no test 'b_test'"):
            parse('Kills: b_test:*\n').named_cases(CASES.get)


class Chosen(unittest.TestCase):

    def test_a_file_that_is_no_text(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'program')
            with open(path, 'wb') as f:
                f.write(b'\x7fELF\xff')
            with self.assertRaisesRegex(UsageError, "mutants/program: 'utf-8' codec"):
                mutants.chosen([path], folder)

    def test_by_name_and_pattern(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ('map-one', 'map-two', 'quote-one'):
                with open(os.path.join(folder, f'{name}.patch'), 'w', encoding='utf-8') as f:
                    f.write(HEAD + 'Kills: a_test:*\n' + DIFF)

            def names(*words):
                return [m.name for m in mutants.chosen(words, folder)]

            self.assertEqual(names(), ['map-one', 'map-two', 'quote-one'])
            self.assertEqual(names('map-*', 'map-one.patch'), ['map-one', 'map-two'])
            self.assertEqual(names(os.path.join(folder, 'quote-one.patch')), ['quote-one'])
            with self.assertRaisesRegex(UsageError, 'no such mutant'):
                names('map-three')


if __name__ == '__main__':
    unittest.main()
