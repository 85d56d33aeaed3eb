# SPDX-License-Identifier: GPL-2.0-only
"""Machines that are not here, by programs that stand in for theirs."""

import contextlib
import io
import os
import stat
import tempfile
import textwrap
import unittest
from unittest import mock

from tdxtest import program
from tdxtest.base import progress, table_file
from tdxtest.base.failure import (EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, EXIT_USAGE, Failure,
                                  UsageError)
from tdxtest.base.paths import WARNINGS
from tdxtest.commands import bisect
from tdxtest.guest import boot, host, image, machines, runs, stages
from tdxtest.guest.machines import bochs, qemu_kvm, ssh
from tdxtest.guest.request import Request
from tdxtest.verdict import judging, results

# Takes options and a host as ssh does, and runs the command here.
FAKE_SSH = '''
while [ "${1#-}" != "$1" ]; do shift 2; done
echo "$1" > "$HOSTS"
[ "$1" = unreachable ] && { echo "ssh: connect to host unreachable: refused" >&2; exit 255; }
shift
exec sh -c "$*"
'''
FAKE_QEMU = '''
case $* in
*--version*) echo "QEMU emulator version 10.0.2 (Debian)"; exit ;;
esac
echo "$*" > arguments
console=${*##*path=}
printf 'KTAP version 1\\n1..1\\n  1..1\\n  ok 1 f.v.t\\nok 1 a_test\\n' > "${console%% *}"
echo "[    2.0] reboot: Power down" >> "${console%% *}"
'''
GOOD = 'echo "TAP version 13"; echo 1..2; echo "ok 1 f.a"; echo "ok 2 f.b # $TDX_MAP_GPA_ABI $2"'


class Programs(unittest.TestCase):
    """A folder with programs that come first in PATH."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.hosts = os.path.join(self.folder, 'hosts')
        self.enterContext(mock.patch.dict(os.environ, {
            'PATH': f'{self.folder}:{os.environ["PATH"]}', 'HOSTS': self.hosts}))
        self.build = mock.Mock()

    def program(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(f'#!/bin/sh\n{textwrap.dedent(text)}\n')
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path


class Names(unittest.TestCase):
    def test_names(self):
        self.assertIs(machines.named('bochs'), bochs.MACHINE)
        self.assertIs(machines.named('qemu-kvm'), qemu_kvm.MACHINE)
        self.assertEqual(machines.named('ssh:me@host').host, 'me@host')
        for text in ('', 'ssh', 'ssh:', 'ssh:-oProxyCommand=x', 'vmware'):
            with self.subTest(text=text), self.assertRaises(UsageError):
                machines.named(text)

    def test_the_plain_cpu_has_no_msr(self):
        def rows(machine):
            return table_file.lines(os.path.join(bochs.HERE, machine.msrs))
        self.assertEqual((len(rows(bochs.MACHINE)), len(rows(bochs.PLAIN))), (2, 0))
        self.assertEqual(bochs.PLAIN.parameters.split(),
                         [bochs.MACHINE.parameters, qemu_kvm.MACHINE.parameters])

    def test_whose_death_is_whose(self):
        # No guest ends Bochs; a triple fault ends QEMU, and a panic ends what ssh says.
        for machine, by_guest in ((bochs.MACHINE, (False, False)), (bochs.PLAIN, (False, False)),
                                  (qemu_kvm.MACHINE, (True, False)),
                                  (machines.named('ssh:host'), (True, True))):
            self.assertEqual(tuple(status in machine.guest_exits for status in (0, 255)), by_guest)
            self.assertNotIn(-9, machine.guest_exits)

    def test_the_clock_of_the_debug_kernel_wins(self):
        """The kernel takes the last one that it is given."""
        def clock(debug):
            return runs.parameters(Request().with_build(debug=debug)).split()[-1]
        self.assertEqual(clock(False), bochs.CLOCK)
        self.assertEqual(clock(True), bochs.SLOW_CLOCK)

    def test_the_watchdog_waits_longer_for_the_debug_kernel(self):
        def silence(debug):
            wanted = Request().with_build(debug=debug).with_boot(silence=10, total=100)
            return runs.new_guest(wanted, '/nowhere').limits.silence
        self.assertEqual(silence(False), 10)
        self.assertEqual(silence(True), 10 * runs.DEBUG_PATIENCE)


class Qemu(Programs):
    def setUp(self):
        super().setUp()
        self.program('qemu-system-x86_64', FAKE_QEMU)
        for name, text in (('DEVICE', ''), ('NESTED', 'Y\n'),
                           ('CPUINFO', 'processor: 0\nflags\t\t: fpu vmx movdir64b\n')):
            path = os.path.join(self.folder, name)
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
            self.enterContext(mock.patch.object(qemu_kvm, name, path))

    def test_a_guest(self):
        installation = qemu_kvm.MACHINE.prepare(self.build)
        self.assertEqual(installation.version, '10.0.2')
        guest = boot.Guest(qemu_kvm.MACHINE, self.folder, boot.Limits(silence=20))
        boot.run([guest], ['/a/boot.iso'], installation, 4, lambda line: None)
        self.assertEqual(guest.ended, '')
        self.assertEqual(judging.judge(guest.console).summary,
                         'PASS: 1 passed, 0 failed, 0 skipped')
        with open(os.path.join(self.folder, 'arguments'), encoding='utf-8') as f:
            arguments = f.read()
        for wanted in ('accel=kvm', '-cpu host', '-smp 4', '-cdrom /a/boot.iso'):
            self.assertIn(wanted, arguments)

    def test_what_the_host_lacks(self):
        for name, text, said in (('NESTED', 'N\n', 'nested=1'),
                                 ('CPUINFO', 'flags : fpu vmx\n\n', 'no movdir64b'),
                                 ('CPUINFO', '', 'no vmx and no movdir64b')):
            path = os.path.join(self.folder, f'other-{name}')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(f'\n{text}')
            with mock.patch.object(qemu_kvm, name, path), self.assertRaisesRegex(Failure, said):
                qemu_kvm.MACHINE.prepare(self.build)
        with mock.patch.object(qemu_kvm, 'DEVICE', '/no/kvm'), self.assertRaisesRegex(
                Failure, '/no/kvm: no such device'):
            qemu_kvm.MACHINE.prepare(self.build)

    def test_qemu_fails(self):
        installation = qemu_kvm.MACHINE.prepare(self.build)
        self.program('qemu-system-x86_64', 'echo "qemu: error: no KVM" >&2; exit 1')
        guest = boot.Guest(qemu_kvm.MACHINE, self.folder, boot.Limits(silence=20))
        boot.run([guest], ['/a/boot.iso'], installation, 1, lambda line: None)
        self.assertIn('qemu: error: no KVM', guest.ended)
        self.assertEqual(judging.judge(guest.console, guest.ended).status, EXIT_NOT_RUN)


class Host(Programs):
    def setUp(self):
        super().setUp()
        self.program('ssh', FAKE_SSH)
        self.program('uname', 'echo 7.3.4-rt1')
        # The tests must not depend on the kernel log of this machine.
        self.program('dmesg', 'exit 1')
        self.machine = machines.named('ssh:me@lab')

    def run_on_host(self, *tests, environment=(), timeout_s=60):
        """The Verdict on tests (name, script, arguments), and the console's text."""
        programs = [self.program(f'tests/{name}', text) for name, text, _ in tests]
        plan = os.path.join(self.folder, 'plan')
        with open(plan, 'w', encoding='utf-8') as f:
            f.write(image.plan_text([(name, args) for name, _, args in tests], [], '', timeout_s,
                                    False, environment))
        bundle = os.path.join(self.folder, 'bundle.tar')
        self.machine.bundle(bundle, plan, programs, WARNINGS)
        guest = boot.Guest(self.machine, self.folder, boot.Limits(silence=30))
        boot.run([guest], [bundle], self.machine.prepare(self.build), 1, lambda line: None)
        with open(guest.console_path, encoding='utf-8') as f:
            return judging.judge_all([(guest.console, guest.ended,
                                    {name: [] for name, _, _ in tests})]), f.read()

    def test_a_run(self):
        verdict, said = self.run_on_host(('a_test', GOOD, ['-r', 'f.b']),
                                         environment={'TDX_MAP_GPA_ABI': 'merged'})
        self.assertEqual((verdict.status, verdict.summary), (
            EXIT_PASS, 'PASS: 2 passed, 0 failed, 0 skipped, kernel log not watched'), said)
        self.assertIn('  ok 2 f.b # merged f.b', said)
        with open(self.hosts, encoding='utf-8') as f:
            self.assertEqual(f.read(), 'me@lab\n')

    def test_what_is_no_pass(self):
        for text, wanted in (('echo 1..1; echo "not ok 1 f.a"; exit 1', 'not ok: f.a'),
                             ('exit 254', 'not ok: exit=254'),
                             ('kill -SEGV $$', 'not ok: exit=139'),
                             ('echo 1..2; echo "ok 1 f.a"', '1 of 2 planned cases'),
                             ('echo "1..0 # SKIP no TDs"; exit 4', 'no test ran: all 1')):
            verdict, said = self.run_on_host(('a_test', text, []))
            self.assertEqual(verdict.status, EXIT_FAIL, said)
            self.assertIn(wanted, '\n'.join(verdict.problems))

    def test_a_test_that_hangs(self):
        verdict, _ = self.run_on_host(('a_test', 'sleep 60', []), ('b_test', GOOD, []),
                                      timeout_s=1)
        self.assertEqual(verdict.problems, ('a_test: not ok: TIMEOUT 1 seconds',))

    def kernel_log(self):
        """A file that is the kernel log from here on."""
        log = os.path.join(self.folder, 'log')
        script = self.enterContext(mock.patch.object(ssh, 'REMOTE_SCRIPT',
                                                     os.path.join(self.folder, 'run.sh')))
        with open(os.path.join(ssh.HERE, 'ssh_remote.sh'), encoding='utf-8') as f:
            text = f.read().replace('> /dev/kmsg', f'>> {log}')
        with open(script, 'w', encoding='utf-8') as f:
            f.write(text)
        self.program('dmesg', f'cat {log}')
        with open(log, 'w', encoding='utf-8') as f:
            f.write('[    1.0] WARNING: long ago\n')
        return log

    def test_the_kernel_warns(self):
        log = self.kernel_log()
        verdict, said = self.run_on_host(('a_test', GOOD, []))
        self.assertEqual((verdict.status, verdict.summary),
                         (EXIT_PASS, 'PASS: 2 passed, 0 failed, 0 skipped'), said)
        warn = f'echo "[    9.0] WARNING: CPU: 0 at tdx.c:1" >> {log}; {GOOD}'
        verdict, said = self.run_on_host(('a_test', warn, []), ('b_test', GOOD, []))
        self.assertEqual(verdict.status, EXIT_FAIL, said)
        self.assertIn('not ok 1 a_test', said)
        self.assertIn('\nok 2 b_test', said)

    def test_the_kernel_log_runs_over(self):
        over = f'echo "[    9.0] more" > {self.kernel_log()}; {GOOD}'
        verdict, said = self.run_on_host(('a_test', over, []), ('b_test', GOOD, []))
        self.assertEqual(verdict.problems, (
            'a_test: not ok: its beginning is gone from the kernel log',), said)

    def test_nothing_is_left_on_the_host(self):
        with tempfile.TemporaryDirectory() as there, mock.patch.dict(os.environ,
                                                                     {'TMPDIR': there}):
            self.run_on_host(('a_test', GOOD, []))
            self.assertEqual(os.listdir(there), [])

    def test_a_host_that_cannot_be_reached(self):
        with self.assertRaisesRegex(Failure, 'ssh: connect to host unreachable'):
            machines.named('ssh:unreachable').prepare(self.build)

    def test_a_host_that_is_lost(self):
        self.program('ssh', FAKE_SSH.replace('exec sh', 'case $* in *run.sh*) '
                                             'echo "KTAP version 1"; echo 1..1; exit 255;; esac; '
                                             'exec sh'))
        verdict, _ = self.run_on_host(('a_test', GOOD, []))
        self.assertEqual(verdict.status, EXIT_FAIL)
        self.assertIn('ssh ended with status 255', verdict.problems[0])

    def test_the_generation_is_that_of_the_host(self):
        wanted = Request().with_boot(machine=machines.named('ssh:h'))
        self.assertEqual(host.expected(wanted, '6.18.3-1-amd64').name, 'legacy')
        self.assertEqual(host.expected(wanted, '7.3.4').name, 'merged')
        with self.assertRaisesRegex(UsageError, 'ssh:h: Linux 6.12.0 has no KVM with TDX'):
            host.expected(wanted, '6.12.0')

    def test_the_whole_command(self):
        """run --machine ssh:HOST, with nothing built: the tests are scripts."""
        def install(_build, _work, _goal, folder):
            self.program(os.path.join(folder, 'kvm', 'tdx_smoke_test'), GOOD)
            with open(os.path.join(folder, 'kvm', 'settings'), 'w', encoding='utf-8') as f:
                f.write('timeout=120\n')

        suite = mock.Mock(select=lambda selection: [(name, []) for name, _ in selection])
        work = mock.Mock()
        work.source.name, work.source.version, work.source.key.return_value = '7.3', '7.3', (7, 3)
        words = ['run', '--build', self.folder, '--machine', 'ssh:me@lab', '--json',
                 os.path.join(self.folder, 'r.json'), '--junit', '/proc/x', 'tdx_smoke_test']
        said = io.StringIO()
        with mock.patch.object(stages, 'Progress', lambda: progress.Progress(said)), \
                mock.patch.object(stages, 'fetch',
                                  lambda wanted, build: stages.Laid(wanted, build, work)), \
                mock.patch.object(stages, 'compile_suite', lambda laid: suite), \
                mock.patch.object(host.kselftest, 'make', install), \
                contextlib.redirect_stderr(said):
            status = program.main(words)
        self.assertEqual(status, EXIT_PASS, said.getvalue())
        self.assertIn('(Linux 7.3.4-rt1)', said.getvalue())
        [run] = results.load(os.path.join(self.folder, 'r.json'))
        self.assertEqual((run['kernel'], run['origin'], run['expected'], run['summary']),
                         ('7.3.4-rt1', 'ssh:me@lab', 'merged',
                          'PASS: 2 passed, 0 failed, 0 skipped, kernel log not watched'))

    def test_a_kernel_of_our_own_is_refused(self):
        for words in (['run', '--abi', 'legacy'], ['boot'], ['run', '--cpus', '2'],
                      ['check', '--static']):
            with contextlib.redirect_stderr(io.StringIO()):
                status = program.main([words[0], '--build', self.folder, '--machine', 'ssh:h',
                                       *words[1:]])
            self.assertEqual(status, EXIT_USAGE, words)
        args = program.parse_arguments(['bisect', '--machine', 'ssh:h', 'tdx_smoke_test'])
        with self.assertRaises(UsageError):
            bisect.step(args, '', 'commit', None)
