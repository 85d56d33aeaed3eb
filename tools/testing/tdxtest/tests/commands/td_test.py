# SPDX-License-Identifier: GPL-2.0-only
"""What the command td asks of the rest of the tool."""

import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base.failure import UsageError
from tdxtest.commands import td
from tdxtest.guest import runs, stages
from tdxtest.guest.td.request import TdRequest


class Td(unittest.TestCase):
    def run_command(self, *words):
        """(BootRequest, what was called) of a command line."""
        built = mock.Mock()
        with mock.patch.object(stages, 'fetch'), mock.patch.object(stages, 'opened') as opened, \
                mock.patch.object(stages, 'without_suite', return_value=built), \
                mock.patch.object(runs, 'run_suite') as run_suite, \
                mock.patch.object(runs, 'conclude_runs', return_value=0), \
                mock.patch.object(runs, 'conclude', return_value=0), \
                mock.patch.object(runs, 'boot_td_shell') as boot_td_shell:
            td.run(program.parse_arguments(['td', *words]))
        return opened.call_args.args[0].boot, run_suite.called, boot_td_shell.called

    def test_a_boot_for_each_end(self):
        boot, ran, _ = self.run_command('--smp', '2', '--cpus', '2', '--end', 'all')
        self.assertEqual([name for name, _ in boot.tests],
                         ['td_power_off', 'td_reboot', 'td_panic'])
        self.assertEqual((boot.td, boot.cpus, ran), (TdRequest(cpus=2), 2, True))

    def test_a_shell(self):
        boot, ran, shell = self.run_command('--shell')
        self.assertEqual((boot.td.shell, ran, shell), (True, False, True))

    def test_a_host_has_its_own_kernel(self):
        with self.assertRaisesRegex(UsageError, 'td needs a kernel'):
            self.run_command('--machine', 'ssh:x')


if __name__ == '__main__':
    unittest.main()
