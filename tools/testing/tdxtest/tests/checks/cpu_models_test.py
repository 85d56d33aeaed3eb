# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of cpu_models.py."""

import dataclasses
import unittest
from unittest import mock

from tdxtest.base.checking import NotHere
from tdxtest.checks import cpu_models
from tdxtest.commands import kunit
from tdxtest.guest.machines import bochs, qemu_kvm
from tdxtest.tests.fakes import built


class Models(unittest.TestCase):
    def check(self, wrong):
        """(lines that are wrong, machines that were booted); wrong: {model: lines}."""
        booted = []

        def boot_tests(made):
            machine = made.request.boot.machine
            booted.append(machine)
            return wrong.get(machine.model, []), 'KUnit: Ran 1 tests', 'text'

        with mock.patch.object(kunit, 'boot_tests', boot_tests):
            return list(cpu_models.check(built(machine=bochs.MACHINE))), booted

    def test_each_other_model_is_booted(self):
        lines, booted = self.check({})
        self.assertEqual(lines, [])
        self.assertEqual([machine.model for machine in booted], list(bochs.OTHER_MODELS))
        self.assertNotIn(bochs.MACHINE.model, bochs.OTHER_MODELS)
        self.assertEqual({dataclasses.replace(machine, model=bochs.MACHINE.model)
                          for machine in booted}, {bochs.MACHINE})

    def test_what_is_wrong_names_the_model(self):
        lines, booted = self.check({'tigerlake': ['KUnit: a.b: failure']})
        self.assertEqual(lines, ['tigerlake: KUnit: a.b: failure'])
        self.assertEqual(len(booted), len(bochs.OTHER_MODELS))

    def test_another_machine_has_one_cpu(self):
        with self.assertRaisesRegex(NotHere, 'qemu-kvm'):
            list(cpu_models.check(built(machine=qemu_kvm.MACHINE)))
