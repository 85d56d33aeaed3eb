# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of all_mutants.py."""

import dataclasses
import unittest
from unittest import mock

from tdxtest.checks import all_mutants
from tdxtest.commands import mutate
from tdxtest.tests.commands.mutate_test import mutant
from tdxtest.tests.fakes import built


class Chosen(unittest.TestCase):

    def check(self, **kinds):
        """What is told of mutants {name: kind}, and the events that each kernel traces."""
        chosen = [dataclasses.replace(mutant(name), traced=name == 'traced') for name in kinds]
        traces = []

        class Trial:
            def __init__(self, made, some, everything):
                traces.append(made.request.boot.trace)
                self.verdicts = {one.name: mutate.Verdict(one, kinds[one.name], problems=['why'])
                                 for one in some}

            def build(self):
                pass

            run = build

        made = built(suite=mock.Mock(cases_of=lambda test: ['fix.one', 'fix.two']))
        with (mock.patch.object(mutate, 'Trial', Trial),
              mock.patch.object(mutate.stages, 'compile_all',
                                lambda laid: mock.Mock(request=laid.request, suite=made.suite))):
            return list(all_mutants.check_chosen(made, chosen)), traces

    def test_one_that_survives_is_told(self):
        told, traces = self.check(good=mutate.KILLED, bad=mutate.SURVIVED)
        self.assertEqual(told, ['mutants/bad: survived: why'])
        self.assertEqual(traces, [0])

    def test_each_is_tried_on_the_kernel_that_it_needs(self):
        self.assertEqual(self.check(plain=mutate.KILLED, traced=mutate.KILLED), ([], [0, 1]))
