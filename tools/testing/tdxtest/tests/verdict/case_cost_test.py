# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of the table of where the cost of a case goes."""

import os
import re
import unittest

from tdxtest.base.paths import GUEST_SOURCES
from tdxtest.verdict import case_cost

# Two ticks for each instruction; two programs, three cases.
SAID = """\
    # case 1000 100
    # case 3000 100
    # part create_vm 2 0 1000 200
    # part init_memory 4 10 3000 0
    # cost 100 400 4000 150
    # case 9000 0
    # part create_vm 1 0 2000 0
    # part close 1 0 7000 0
    # cost 100 400 9000 0
""".splitlines()


class Rows(unittest.TestCase):
    def value(self, name, group=case_cost.PARTS):
        found = [row for row in case_cost.rows(SAID) if (row.group, row.name) == (group, name)]
        self.assertEqual(len(found), 1, name)
        return found[0].median()

    def test_parts_are_instructions_of_the_average_case(self):
        self.assertAlmostEqual(self.value('KVM_CREATE_VM'), 2800 / 2 / 3, 1)
        self.assertAlmostEqual(self.value('close()'), 7000 / 2 / 3, 1)

    def test_waiting_is_told_apart_from_idling(self):
        self.assertAlmostEqual(self.value(case_cost.OTHERS), 50 / 2 / 3, 1)
        self.assertAlmostEqual(self.value(case_cost.IDLE), 150 / 2 / 3, 1)

    def test_parts_sum_up_to_the_whole(self):
        found = case_cost.rows(SAID)
        parts = sum(row.median() for row in found
                    if row.group == case_cost.PARTS and row.name != case_cost.IDLE)
        self.assertAlmostEqual(parts, self.value('the average of 3 cases', case_cost.WHOLE), 0)
        self.assertEqual(self.value('all cases', case_cost.WHOLE), (13000 - 150) / 2)

    def test_median_case(self):
        self.assertEqual(self.value('the median case, without what it waits for',
                                    case_cost.WHOLE), 1450)

    def test_pages(self):
        self.assertEqual(self.value('KVM_TDX_INIT_MEM_REGION', case_cost.PAGES), 150)

    def test_without_a_case_there_are_no_rows(self):
        self.assertEqual(case_cost.rows(SAID[2:5]), [])

    def test_each_part_of_the_library_has_a_name(self):
        with open(os.path.join(GUEST_SOURCES, 'case_cost.c'), encoding='utf-8') as f:
            names = re.findall(r'\[[A-Z_]+\] = "(\w+)"', f.read())
        self.assertEqual(sorted(names), sorted(case_cost.NAMES))
