# SPDX-License-Identifier: GPL-2.0-only
"""What guest_src/td/td_test.c makes of a VMM and its TD, with a script as the VMM."""

import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import unittest

from tdxtest.guest.td import image
from tdxtest.tree import td_tests
from tdxtest.verdict import ktap

SOURCES = [os.path.join(image.SOURCES, name) for name in image.TEST_SOURCES]
VMM = '''
import json, os, sys, time
def pipe(name, end, mode):
    return open(os.path.join(FOLDER, f'td-{name}.{end}'), mode, buffering=1)
console, qmp, answers = (pipe('console', 'out', 'w'), pipe('monitor', 'out', 'w'),
                         pipe('monitor', 'in', 'r'))
def say(*lines):
    for line in lines:
        print(line, file=console)
def shutdown(reason):
    print(json.dumps({'event': 'SHUTDOWN', 'data': {'reason': reason}}), file=qmp)
    time.sleep(0.1)
def trace(*lines):
    with open(os.path.join(FOLDER, 'td-trace'), 'w') as f:
        f.writelines(line + chr(10) for line in lines)
trace('kvm_convert_memory start 0x0')
print(json.dumps({'QMP': {}}), file=qmp)
answers.readline()
print(json.dumps({'return': {}}), file=qmp)
'''
BOOT = 'say("BdsDxe: loading", "[ 0.0] Linux version 7.3", "TD: begin")\n'
PATTERN = '''
import re
with open(PROTOCOL) as f:
    text = f.read().partition('#define TD_PATTERN ')[2].partition('/*')[0]
pattern = ''.join(json.loads(word) for word in re.findall(r'"(?:[^"\\\\]|\\\\.)*"', text))
'''
CHECKS = ''.join(f'say("TD: ok {name}")\n' for name in td_tests.checks())
END = 'shutdown("guest-shutdown")\n'


class Program(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.program = os.path.join(cls.folder, 'td_x')
        subprocess.run(['gcc', '-Wall', '-Werror', '-o', cls.program, *SOURCES], check=True)

    def show(self, path, text):
        """Let the kernel show a text in a file of its folder of sysfs."""
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        self.addCleanup(pathlib.Path(path).unlink, missing_ok=True)

    def show_page_tables(self, slabs):
        self.show('slab/kvm_mmu_page_header/shrink', '')
        self.show('slab/kvm_mmu_page_header/partial', f'{slabs} N0={slabs}\n')

    def write_plan(self, script, plan, timeout, before=VMM):
        """Write what the program reads, with a script as the VMM."""
        vmm = os.path.join(self.folder, 'vmm.py')
        protocol = os.path.join(image.SOURCES, 'td_protocol.h')
        with open(vmm, 'w', encoding='utf-8') as f:
            f.write(f'FOLDER = {self.folder!r}\nPROTOCOL = {protocol!r}\n{before}{script}')
        stages = ''.join(f'stage {name} {text}\n' for name, text in td_tests.STAGES)
        with open(f'{self.program}.td', 'w', encoding='utf-8') as f:
            f.write(f'folder {self.folder}\nkernel {self.folder}\n{stages}{plan}timeout {timeout}\n'
                    f'arg {sys.executable}\narg {vmm}\n')

    def output(self, script, plan='end guest-shutdown\nchecks\n', timeout=20):
        """What the program prints."""
        self.write_plan(script, plan, timeout)
        return subprocess.run([self.program], capture_output=True, text=True,
                              check=False).stdout

    def run_vmm(self, script, plan='end guest-shutdown\nchecks\n', timeout=20):
        """The ktap.Test that comes of a VMM, and the exit status."""
        self.write_plan(script, plan, timeout)
        done = subprocess.run([self.program], capture_output=True, text=True, check=False)
        console = ktap.Console([])
        console.feed('KTAP version 1')
        for line in done.stdout.splitlines():
            console.feed(f'  {line}')
        return console.open, done.returncode

    def failed(self, script, *args, **words):
        """{case: why} of what failed, which the exit status must tell of."""
        test, status = self.run_vmm(script, *args, **words)
        failed = {case.name: case.note for case in test.failed()}
        self.assertEqual(bool(failed), bool(status), test)
        return failed

    def test_passes(self):
        test, status = self.run_vmm(BOOT + CHECKS + END)
        self.assertEqual((test.failed(), status), ([], 0))
        self.assertEqual([case.name for case in test.cases], td_tests.cases('td_power_off'))
        self.assertEqual(len(test.cases), test.planned)

    def test_a_stage_that_does_not_come(self):
        self.assertEqual(list(self.failed('sys.exit(3)')), ['stage.firmware'])
        failed = self.failed('say("BdsDxe")\nsys.exit(3)')
        self.assertIn("wanted 'Linux version' on the TD's console; the VMM ended with status 3",
                      failed['stage.kernel'])
        self.assertEqual(list(self.failed('say("x", "Linux version")\ntime.sleep(9)', timeout=1)),
                         ['stage.userspace'])

    def test_a_td_that_says_that_it_stops(self):
        failed = self.failed('say("x", "EFI stub: ERROR: no")\ntime.sleep(99)',
                             'stop EFI stub\nend guest-shutdown\n')
        self.assertIn("the TD said 'EFI stub: ERROR: no'", failed['stage.kernel'])

    def test_a_vmm_that_does_not_start(self):
        failed = self.failed('', 'end guest-shutdown\narg /nowhere\n')
        self.assertIn('wanted a VMM that runs its TD', failed['stage.memory_added'])

    def test_a_check_that_fails(self):
        name = td_tests.checks()[1]
        checks = CHECKS.replace(f'TD: ok {name}', f'TD: not ok {name} wanted 1, got 2')
        self.assertEqual(self.failed(BOOT + checks + END), {f'td.{name}': 'wanted 1, got 2'})

    def test_a_check_that_is_left_out(self):
        checks = CHECKS.replace(f'say("TD: ok {td_tests.checks()[2]}")\n', '')
        self.assertEqual(list(self.failed(BOOT + checks + END)), [f'td.{td_tests.checks()[2]}'])

    def test_lost_bytes(self):
        self.assertEqual(self.failed(BOOT + PATTERN + 'say("TD: pattern " + pattern)\n'
                                     + CHECKS + END), {})
        failed = self.failed(BOOT + PATTERN + 'say("TD: pattern " + pattern[:70] + pattern[71:])\n'
                             + CHECKS + END)
        self.assertEqual(len(failed), 1)
        self.assertIn('port_out', list(failed.values())[0])

    def test_memory_that_is_converted_for_a_fault(self):
        faults = 'trace("kvm_memory_fault x", "kvm_convert_memory x")\n'
        self.assertIn('1 of them since KVM exited',
                      self.failed(BOOT + CHECKS + faults + END)['stage.map_gpa'])
        self.assertEqual(list(self.failed(BOOT + CHECKS + 'trace()\n' + END)), ['stage.map_gpa'])

    def page_tables(self, plan=''):
        test, status = self.run_vmm(BOOT + CHECKS + END, f'end guest-shutdown\nchecks\n{plan}')
        case = test.cases[-1]
        self.assertEqual((case.name, bool(status)), ('stage.page_tables', not case.ok))
        return case

    def test_page_tables_that_are_left(self):
        self.assertEqual(self.page_tables().note,
                         'SKIP the kernel does not show its slab caches')
        self.show_page_tables(0)
        self.assertEqual(self.page_tables().outcome(), 'pass')
        self.show_page_tables(3)
        self.assertEqual(self.page_tables().note, 'wanted no page table after the end of the VM, '
                                                  'got 3 slab(s) with some')

    def test_page_tables_that_are_left_for_a_finding(self):
        with open('/proc/cpuinfo', encoding='utf-8') as f:
            width = int(re.findall(r'address sizes\s*: (\d+) bits', f.read())[0])
        # A host with addresses as wide as those of a TD has no part in it.
        narrow = width <= 47
        self.show_page_tables(3)
        case = self.page_tables('leaks 2\n')
        self.assertEqual((case.outcome(), case.finding()), ('xfail', 2) if narrow else ('fail', 0))
        self.show_page_tables(0)
        case = self.page_tables('leaks 2\n')
        self.assertEqual((case.outcome(), case.finding()), ('xpass', 2) if narrow else ('pass', 0))

    def test_a_vcpu_that_does_not_halt(self):
        self.show('debug/kvm/halt_exits', '7\n')
        self.assertEqual(self.failed(BOOT + CHECKS + END),
                         {'td.hlt': "wanted 1 or more of KVM's halt_exits, got 0"})

    def test_a_vcpu_that_halts(self):
        self.show('debug/kvm/halt_exits', '7\n')
        halts = ('time.sleep(0.5)\n'
                 'open(os.path.join(FOLDER, "debug/kvm/halt_exits"), "w").write("8")\n')
        checks = CHECKS.replace('say("TD: ok hlt")', halts + 'say("TD: ok hlt")')
        self.assertEqual(self.failed(BOOT + checks + END), {})

    def shell(self, script, keys, until):
        """What a person sees at a terminal who types keys after the first line."""
        # Nothing is asked of the monitor.
        before = VMM.partition("print(json.dumps({'QMP'")[0]
        self.write_plan(script, 'end guest-shutdown\n', 20, before)
        master, slave = pty.openpty()
        seen = b''
        with subprocess.Popen([self.program, '--shell'], stdin=slave, stdout=slave,
                              stderr=slave) as process:
            try:
                while until not in seen and select.select([master], [], [], 20)[0]:
                    seen += os.read(master, 1024)
                    if keys and b'\n' in seen:
                        os.write(master, keys)
                        keys = b''
            finally:
                process.kill()
                os.close(slave)
                os.close(master)
        return seen.decode()

    def test_a_shell(self):
        seen = self.shell('say("TD: begin")\n'
                          'keys = pipe("console", "in", "r")\n'
                          'say("you typed " + keys.readline())\n'
                          'say("bye" * 999, "reboot: Power down", "end")\n', b'uname\n', b'end')
        self.assertIn('you typed uname', seen)
        self.assertIn('bye' * 999, seen)
        # The tool must not take the end of the TD for that of the guest.
        self.assertIn('reboot:\x1b[m Power down', seen)

    def test_what_a_td_says_while_it_is_waited_for(self):
        done = self.output(BOOT + 'time.sleep(3)\n' + CHECKS + END)
        self.assertRegex(done, r'# td\.cpus: waited for since 1\.\d s; KVM: ')

    def test_a_vmm_that_hangs(self):
        done = self.output('time.sleep(9)', timeout=1)
        self.assertRegex(done, r'# hang: task \d+ ')
        self.assertIn('not ok 2 stage.firmware', done)

    def test_another_end(self):
        for end in ('shutdown("guest-reset")\n', '', END + 'sys.exit(1)\n'):
            with self.subTest(end=end):
                self.assertEqual(list(self.failed(BOOT + CHECKS + end)), ['stage.end'])

    def test_what_the_console_must_say(self):
        plan = 'end guest-reset\nsays Kernel panic\n'
        reset = 'shutdown("guest-reset")\n'
        self.assertEqual(self.failed(BOOT + 'say("Kernel panic - x")\n' + reset, plan), {})
        self.assertEqual(list(self.failed(BOOT + reset, plan)), ['stage.end'])


if __name__ == '__main__':
    unittest.main()
