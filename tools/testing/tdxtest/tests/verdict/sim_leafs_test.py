# SPDX-License-Identifier: GPL-2.0-only
"""The page of leafs goes red for each thing that it leaves out or has too much."""
import unittest
from unittest import mock

from tdxtest.verdict import sim_leafs

PAGE = '''\
TDH.MNG.CREATE
--------------

=================  ========================  ==================
Check              Answer                    Covered by
=================  ========================  ==================
HKID is in use     TDX_HKID_NOT_FREE         tdx_sim_td.hkid
page is not free   TDX_OPERAND_INVALID RCX   tdx_sim_td.page
all                TDX_SUCCESS               tdx_a_test:smoke*
=================  ========================  ==================

Text below a table.

Leafs that are not simulated
----------------------------

===========  =========
Leaf         What for
===========  =========
TDH.MEM.RD   debug TDs
===========  =========
'''

LOG = '''\
[    0.1]     # Subtest: tdx_sim_td
[    0.2]     # hkid: TDH_MNG_CREATE answers TDX_HKID_NOT_FREE
[    0.3]     # page: TDH_MNG_CREATE answers TDX_OPERAND_INVALID RCX
[    0.4]     ok 1 hkid
'''.splitlines()


@mock.patch('tdxtest.verdict.sim_leafs.leafs',
            lambda: ({'TDH_MNG_CREATE'}, {'TDH_MEM_RD': 'debug TDs'}))
@mock.patch('tdxtest.verdict.sim_leafs.kunit_cases', lambda: {'tdx_sim_td.hkid', 'tdx_sim_td.page'})
class Page(unittest.TestCase):
    def test_a_good_one_passes(self):
        self.assertEqual(list(sim_leafs.check_page(PAGE)), [])

    def wrong(self, text):
        return ' '.join(sim_leafs.check_page(text))

    def test_what_does_not_exist_is_named(self):
        self.assertIn('no KUnit case tdx_sim_td.gone',
                      self.wrong(PAGE.replace('td.hkid', 'td.gone')))
        self.assertIn('TDH_MNG_CREATE has no table',
                      self.wrong(PAGE.replace('TDH.MNG.CREATE', 'TDH.MNG.CREATX')))

    def test_leafs_that_are_not_simulated(self):
        self.assertIn("TDH_MEM_RD: the table has None, the row 'debug TDs'",
                      self.wrong(PAGE.replace('TDH.MEM.RD', 'TDH.X     ')))
        self.assertIn("TDH_MEM_RD: the table has 'all TDs', the row 'debug TDs'",
                      self.wrong(PAGE.replace('debug TDs', 'all TDs')))

    def test_too_little_covered_fails(self):
        self.assertIn('2 of 3', self.wrong(PAGE.replace('tdx_sim_td.hkid', '-              ')))

    def test_a_column_that_is_missing_fails(self):
        self.assertIn('wanted check', self.wrong(PAGE.replace('tdx_sim_td.hkid', '')))


OVERVIEW = '''\
Leafs
-----

=======  =========  =============
Family   Leafs      Code
=======  =========  =============
TDH.MNG  CREATE,    ``tdh/mng.c``
         KEY.FREEID
=======  =========  =============
'''


@mock.patch('tdxtest.verdict.sim_leafs.leafs',
            lambda: ({'TDH_MNG_CREATE', 'TDH_MNG_KEY_FREEID'}, {}))
class Families(unittest.TestCase):
    def wrong(self, text=OVERVIEW, code='\nu64 sim_tdh_mng_create(x)\nu64 sim_tdh_mng_key_freeid('):
        return ' '.join(sim_leafs.check_families(text, lambda name: code))

    def test_a_good_table_passes(self):
        self.assertEqual(self.wrong(), '')

    def test_a_leaf_that_is_missing_or_too_much(self):
        self.assertIn('TDH_MNG_CREATE is in no row', self.wrong(OVERVIEW.replace('CREATE,', '-')))
        self.assertIn('TDH_MNG_CREATX is not simulated',
                      self.wrong(OVERVIEW.replace('CREATE', 'CREATX')))

    def test_a_file_without_the_function(self):
        self.assertIn('sim_tdh_mng_create() is not in tdh/mng.c', self.wrong(code=''))


@mock.patch('tdxtest.verdict.sim_leafs.numbers', lambda: {'TDH_MNG_CREATE': 9})
class Numbers(unittest.TestCase):
    def wrong(self, text):
        return ' '.join(sim_leafs.check_numbers([text]))

    def test_the_same_number(self):
        self.assertEqual(self.wrong('#define TDH_MNG_CREATE\t\t9\n'), '')

    def test_another_number_or_no_row(self):
        self.assertIn('TDH_MNG_CREATE: wanted 8 as in the kernel, got 9',
                      self.wrong('#define TDH_MNG_CREATE\t\t8\n'))
        self.assertIn('TDH_NEW 70, which has no row', self.wrong('#define TDH_NEW\t70\n'))


@mock.patch('tdxtest.verdict.sim_leafs.leafs',
            lambda: ({'TDH_MNG_CREATE'}, {'TDH_MEM_RD': 'debug TDs'}))
class Answers(unittest.TestCase):
    def wrong(self, log=LOG, page=PAGE, cases=('smoke.runs',)):
        return ' '.join(sim_leafs.check_answers(log, lambda test: cases, page))

    def test_a_log_that_agrees_passes(self):
        self.assertEqual(self.wrong(), '')

    def test_an_answer_that_did_not_come_fails(self):
        self.assertIn('tdx_sim_td.page did not get', self.wrong(LOG[:2] + LOG[3:]))

    def test_an_answer_of_another_case_does_not_count(self):
        self.assertIn('tdx_sim_td.hkid did not get',
                      self.wrong([line.replace('# hkid', '# page') for line in LOG]))

    def test_an_answer_without_a_row_fails(self):
        self.assertIn('TDH_MNG_CREATE answers TDX_TD_FATAL, which has no row',
                      self.wrong(LOG + ['[0.5]     # page: TDH_MNG_CREATE answers TDX_TD_FATAL']))

    def test_a_case_of_the_suite_must_exist(self):
        self.assertIn('no case tdx_a_test:smoke*', self.wrong(cases=('other',)))

    def test_a_log_without_answers_fails(self):
        self.assertIn('no KUnit case tells', self.wrong([]))
