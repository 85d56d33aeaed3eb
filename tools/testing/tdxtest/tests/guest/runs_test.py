# SPDX-License-Identifier: GPL-2.0-only
"""What the tests are told of the findings."""

import unittest

from tdxtest.guest import machines, runs
from tdxtest.guest.request import Request
from tdxtest.verdict import findings


class Environment(unittest.TestCase):

    def test_cases_of_findings_may_warn(self):
        self.assertEqual(runs.findings_environment(Request()),
                         {'TDX_KVM_WARN': 'announced,findings'})
        self.assertEqual(runs.findings_environment(Request().with_build(debug=True)),
                         {'TDX_KVM_WARN': 'announced'})

    def test_a_host_is_not_to_be_harmed(self):
        host = Request().with_boot(machine=machines.named('ssh:host'))
        self.assertEqual(runs.findings_environment(host), {})

    def test_what_is_fixed(self):
        fixes = tuple(f.fix for f in findings.load() if f.number in (3, 4))
        self.assertEqual(runs.findings_environment(Request().with_build(patches=fixes)),
                         {'TDX_KVM_WARN': 'announced,findings', 'TDX_KVM_FIXES': '3,4'})
