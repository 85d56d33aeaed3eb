# SPDX-License-Identifier: GPL-2.0-only
"""The guest in a guest: its arguments, and the program that runs the VMM."""

import os
import re
import subprocess
import tempfile
import unittest
from unittest import mock

from tdxtest.base import cpio
from tdxtest.base.failure import UsageError
from tdxtest.guest import image, machines
from tdxtest.guest.machines import bochs, nested, qemu_kvm
from tdxtest.guest.machines.nested import MACHINE
from tdxtest.verdict import judging, ktap


class Machine(unittest.TestCase):
    def command(self, com=('file', '/console'), cpus=1, machine=MACHINE, groups=''):
        """(plan, archive, arguments of boot_iso(), bochsrc)."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        emulator = mock.Mock(spec=bochs.Installation)
        emulator.argv.return_value, emulator.env.return_value = ['bochs'], {}
        beside = {'plan': f'watermark x\n{groups}module /lib/kvm.ko\n'
                          'module /lib/kvm-intel.ko tdx=1\ntest t\n',
                  'initrd': 'first', 'boot.iso': 'of the guest', 'own-init': '', 'linux': ''}
        for name, text in beside.items():
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                f.write(text)
        installation = nested.Installation(emulator, mock.Mock(), {
            '/init': os.path.join(folder, 'own-init')}, '')
        with mock.patch.object(image, 'boot_iso', return_value='/host.iso') as boot_iso:
            argv, _ = machine.command(installation, folder, os.path.join(folder, 'boot.iso'), com,
                                      cpus)
        self.assertEqual(argv[-4:], ['bochs', '-q', '-f', os.path.join(folder, 'bochsrc')])
        with open(os.path.join(folder, 'nested-plan'), encoding='utf-8') as f:
            plan = f.read().splitlines()
        with open(os.path.join(folder, 'bochsrc'), encoding='utf-8') as f:
            config = f.read()
        with open(os.path.join(folder, 'host-initrd'), 'rb') as f:
            return plan, f.read(), boot_iso.call_args.args, config

    def test_the_guest_is_that_of_qemu_kvm(self):
        plan, archive, _, _ = self.command(cpus=2)
        words = [line.removeprefix('arg ') for line in plan if line.startswith('arg ')]
        wanted, _ = MACHINE.guest.command(qemu_kvm.Installation('/qemu/qemu', ''), '',
                                          '/boot.iso', ('file', nested.CONSOLE), 2)
        self.assertEqual(words[3:3 + len(wanted)], wanted)
        self.assertEqual(words[:2], ['/qemu/lib/ld-linux-x86-64.so.2', '--library-path'])
        self.assertIn(b'of the guest', archive)
        self.assertEqual((MACHINE.patches, MACHINE.watermark),
                         ((*qemu_kvm.MACHINE.patches, nested.PATCH), qemu_kvm.MACHINE.watermark))

    def test_the_host_has_the_initramfs_of_the_guest_below_its_own(self):
        _, archive, (_, _, linux, initrd, _), _ = self.command()
        # The kernel takes the last file of a name, and archives that begin at a multiple of 4.
        self.assertTrue(archive.startswith(b'first\0\0\0' + cpio.MAGIC))
        self.assertEqual([os.path.basename(path) for path in (linux, initrd)],
                         ['linux', 'host-initrd'])

    def test_the_host_loads_kvm_once_and_without_apicv(self):
        wanted = ['module /lib/kvm.ko', 'module /lib/kvm-intel.ko nested=1 enable_apicv=0']
        for groups in ('', 'group g\nmodule /g/other.ko\n'):
            plan, _, _, _ = self.command(groups=groups)
            self.assertEqual([line for line in plan if line.startswith('module /lib')], wanted)
        self.assertEqual(nested.host_modules('group a\nmodule /a/kvm.ko\ngroup b\n'
                                             'module /b/kvm.ko x=1\n'), {'/a/kvm.ko': ''})

    def test_host_and_guest_have_one_clock(self):
        _, _, (*_, cmdline), config = self.command()
        clock = re.compile(r'tsc_early_khz=\d+')
        self.assertEqual(clock.findall(cmdline)[-1], clock.findall(MACHINE.parameters)[-1])
        # The watermark is of the guest; the host must not print it.
        self.assertIn(' loglevel=1 ', cmdline)
        self.assertIn('path="/host.iso"', config)
        self.assertIn('count=1,', config)

    def test_room_for_the_guest(self):
        for machine in (MACHINE, MACHINE.for_vmm(2000)):
            config = self.command(machine=machine)[3]
            self.assertGreaterEqual(int(re.search(r'memory: guest=(\d+)', config)[1]),
                                    machine.guest.memory_mb + 512)

    def test_what_it_does_not_have(self):
        with self.assertRaisesRegex(UsageError, 'bochs-qemu-kvm: .* no terminal'):
            self.command(com=('term', '/dev/pts/1'))
        for cpus in (0, 5):
            with self.assertRaisesRegex(UsageError, f'CPUS={cpus}'):
                MACHINE.check_cpus(cpus)

    def test_an_image_alone_makes_no_host(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        with self.assertRaisesRegex(UsageError, 'image.iso has no linux beside it'):
            MACHINE.command(mock.Mock(), folder, os.path.join(folder, 'image.iso'),
                            ('file', '/console'), 1)

    def test_its_name(self):
        self.assertIs(machines.named('bochs-qemu-kvm'), MACHINE)
        self.assertEqual(MACHINE.option, 'bochs-qemu-kvm')


class Init(unittest.TestCase):
    """guest_src/nested/nested_init.c, with a script in the place of QEMU."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.program = os.path.join(cls.folder, 'init')
        subprocess.run(['gcc', '-O1', '-Wall', '-Wextra', '-Werror', '-o', cls.program,
                        *nested.SOURCES], check=True)

    def run_init(self, script, timeout_s='20', more=''):
        """What it printed, without how long that took."""
        paths = [os.path.join(self.folder, name) for name in ('console', 'output', 'plan')]
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)
        console, output, plan = paths
        with open(plan, 'w', encoding='utf-8') as f:
            f.write(f'console {console}\noutput {output}\ntimeout {timeout_s}\n{more}'
                    f'arg /bin/sh\narg -c\narg {script}\narg sh\narg {console}\n')
        done = subprocess.run([self.program, plan], capture_output=True, text=True, check=False,
                              timeout=60)
        self.assertEqual(done.returncode, 1)
        return re.sub(r'\d+(\.\d)? s\b', 'N s', done.stdout).splitlines()

    def test_lines_of_the_guest(self):
        said = self.run_init(r'printf "KTAP version 1\r\n1..1\n" > $1; sleep 0.1; '
                             r'printf "ok 1" >> $1; sleep 0.1; printf " boot\n" >> $1')
        self.assertEqual(said, ['# host: the VMM starts at N s', 'KTAP version 1', '1..1',
                                'ok 1 boot', 'Bail out! the VMM ended with status 0'])
        console = ktap.Console()
        for line in said:
            console.feed(line)
        self.assertIn('the VMM ended with status 0', judging.judge(console).summary)

    def test_the_last_line_has_no_end(self):
        self.assertIn('half', self.run_init('printf half > $1'))

    def test_a_long_line(self):
        said = self.run_init('head -c 5000 /dev/zero | tr "\\0" x > $1; echo >> $1')
        self.assertEqual([len(line) for line in said if set(line) == {'x'}], [4096, 904])

    def test_a_vmm_that_fails(self):
        said = self.run_init('echo no KVM >&2; exit 3')
        self.assertEqual(said[1:], ['# vmm: no KVM', 'Bail out! the VMM ended with status 3'])
        self.assertEqual(self.run_init('kill -SEGV $$')[1:],
                         ['Bail out! the VMM was ended by signal 11'])

    def test_a_guest_that_is_silent(self):
        said = self.run_init('printf "one\\nhalf" > $1; sleep 50', timeout_s='0.3')
        self.assertEqual(said[1:], ['one', '# unfinished: half', 'Bail out! the guest of /bin/sh '
                                    "printed nothing for N s of its host's time"])

    def test_a_plan_that_is_none(self):
        self.assertRegex(self.run_init('true', more='nonsense 1\n')[0],
                         'Bail out! .*/plan: unknown line, or too many: nonsense 1')
        self.assertRegex(self.run_init('true', timeout_s='0')[0],
                         'Bail out! .*/plan: wanted console, output, timeout and arg')
        self.assertRegex(self.run_init('true', more='module /no/such.ko x=1\n')[0],
                         'Bail out! /no/such.ko x=1: No such file')


if __name__ == '__main__':
    unittest.main()
