# SPDX-License-Identifier: GPL-2.0-only
"""The guest's initramfs and the boot image, made without root rights."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence

from tdxtest.base import command
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.paths import GUEST_SOURCES, WARNINGS
from tdxtest.verdict import findings
from tdxtest.tree import td_tests
from tdxtest.tree.kernel import Kernel, Modules
from tdxtest.tree.suite import Tests

CASE_COST = 'case_cost.so'
INIT_SOURCES = ('init.c', 'guest_end.c', 'plan.c', 'klog.c', 'hang.c', 'leaks.c', 'collect.c',
                'trace.c')
ISOLINUX = ('/usr/lib/ISOLINUX/isolinux.bin', '/usr/lib/syslinux/modules/bios/ldlinux.c32')
# A shell may be one in the TD of a test.
PLANNED_TEST = re.compile(r'^(?:test |shell /tests/)(\S+)', re.MULTILINE)
# Of a test that boots a TD with a real VMM, in guest time.
TD_TIMEOUT_S = 300
# nohibernate: a kernel without suspend code of its own still offers S4.
# panic=0: a panic stays on the console for the watchdog to see.
# softlockup_panic: a CPU that is lost for good prints where it is; one that is late only warns.
# clearcpuid: the emulator takes a string instruction one iteration at a time,
# so that the byte-wise copies of a CPU with fast strings cost eight times more.
# rcu_expedited: the end of each VM waits for grace periods, in emulated idling.
CMDLINE = ('console=ttyS0,115200 tdx_sim=on nohibernate panic=0 softlockup_panic=2 '
           'clearcpuid=erms,fsrm rcupdate.rcu_expedited=1')


def plan_text(tests: Tests, modules: Modules, watermark: str, timeout_s: int, shell: bool,
              environment: Mapping[str, str] | None = None, collect: str = '',
              trace: int = 0, shell_program: str = '', times: int = 1) -> str:
    """The plan file of guest_src/init.c.

    tests: [(name, [arguments])]; modules: [(path, [parameters])];
    environment: {name: value} of the tests; collect: a folder of the guest whose
    .gcda files are wanted; trace: events to print after a test that failed;
    shell_program: with its arguments, in place of a shell; times: how often each test runs.
    """
    lines = [f'watermark {watermark}'] if watermark else []
    lines += [' '.join(['module', f'/lib/{os.path.basename(path)}', *params])
              for path, params in modules]
    lines.append(f'timeout {timeout_s}')
    lines += [f'env {name}={value}' for name, value in (environment or {}).items()]
    lines += [f'trace {trace}'] if trace else []
    lines += [f'shell {shell_program}'.rstrip()] if shell else []
    lines += [f'collect {collect}'] if collect else []
    lines += test_lines(tests)
    for number in range(2, times + 1):
        # The timeout before it may be that of the last test.
        lines += [f'repetition {number}', f'timeout {timeout_s}', *test_lines(tests)]
    return '\n'.join(lines) + '\n'


def test_lines(tests: Tests) -> list[str]:
    """The lines of a plan that run tests."""
    # The timeout of the line before holds for what comes after it as well.
    last = [test for test in tests if test[0] in td_tests.NAMES]
    return [*(' '.join(['test', name, *args]) for name, args in tests
              if name not in td_tests.NAMES),
            *([f'timeout {TD_TIMEOUT_S}'] if last else []),
            *(f'test {name}' for name, _ in last)]


def expected_warnings(plan: str) -> str:
    """The list of guest_src/klog.h for a plan_text()."""
    leaks = findings.expected_leaks(PLANNED_TEST.findall(plan))
    return ''.join(f'{step} {text}\n' for step, text in (
        *((f'finding {number}', text) for number, text in findings.expected_warnings()),
        *(('unload_kvm', text) for text in leaks)))


def is_static(program: str) -> bool:
    """Whether a program needs no loader."""
    return ' INTERP ' not in command.output(['readelf', '-lW', program])


def libraries(programs: Iterable[str]) -> list[str]:
    """Paths of the shared libraries and of the loader that programs need."""
    found: set[str] = set()
    for program in programs:
        if is_static(program):
            continue
        for line in command.output(['ldd', program]).splitlines():
            words = line.replace('=>', ' ').split()
            found.update(w for w in words[:2] if w.startswith('/'))
    return sorted(found)


def case_cost(build: Build, headers: str) -> dict[str, str]:
    """{path in the guest: file} of the library that measures cases.

    headers: the folder of the kernel's uAPI headers.
    """
    target = build.path(CASE_COST)
    source = os.path.join(GUEST_SOURCES, 'case_cost.c')
    command.run(['gcc', '-O2', '-Wall', '-shared', '-fPIC', '-s', '-isystem', headers,
                 '-o', target, source], build.log('image'), what='compiling case_cost.c')
    return {f'/lib/{CASE_COST}': target}


def folders(paths: Iterable[str]) -> list[str]:
    """The folders above the paths, those of a folder before itself."""
    found = set()
    for path in paths:
        while (path := os.path.dirname(path)) != '/':
            found.add(path)
    return sorted(found)


def boot_iso(build: Build, target: str, linux: str, initrd: str, cmdline: str) -> str:
    """Write the boot image `target`; gives its path."""
    folder, log = f'{target}.d', build.log('image')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path, name in ((linux, 'linux'), (initrd, 'initrd')):
        os.symlink(path, os.path.join(folder, name))
    # A table of the image is written into its boot loader.
    for path in ISOLINUX:
        shutil.copy(path, folder)
    with open(os.path.join(folder, 'isolinux.cfg'), 'w', encoding='ascii') as f:
        f.write(f'default linux initrd=initrd {cmdline}\n')
    command.run(['genisoimage', '-quiet', '-J', '-r', '-f', '-input-charset', 'utf-8',
                 '-b', 'isolinux.bin', '-c', 'boot.cat', '-no-emul-boot',
                 '-boot-load-size', '4', '-boot-info-table',
                 '-o', f'{target}.tmp', folder], log)
    os.replace(f'{target}.tmp', target)
    shutil.rmtree(folder)
    return target


class Image:
    """Builds into `folder` what a machine boots."""

    def __init__(self, build: Build, folder: str) -> None:
        self.build = build
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def _init(self) -> str:
        """Compile guest_src/init.c when it changed."""
        sources = [os.path.join(GUEST_SOURCES, name) for name in INIT_SOURCES]
        inputs = sources + [os.path.join(GUEST_SOURCES, n) for n in os.listdir(GUEST_SOURCES)
                            if n.endswith('.h')]
        target = self.build.path('init')
        if (not os.path.exists(target) or
                os.path.getmtime(target) < max(map(os.path.getmtime, inputs))):
            command.run(['gcc', '-O2', '-Wall', '-static', '-s',
                         '-o', f'{target}.tmp', *sources],
                        self.build.log('image'), what='compiling the guest init')
            os.replace(f'{target}.tmp', target)
        return target

    def make(self, kernel: Kernel, programs: Sequence[str], plan: str, busybox: str = '',
             parameters: str = '', extra: Mapping[str, str] | None = None) -> str:
        """Write boot.iso: kernel, modules, test programs, plan; gives its path.

        The initrd and the kernel are left beside it, for a machine that boots no image.

        parameters: what the kernel's command line has beside CMDLINE.
        extra: {path in the guest: file}, beside or in place of the others.
        """
        files = {'/init': self._init(), '/etc/plan': self.path('plan'),
                 '/etc/kernel-warnings.list': self.path('kernel-warnings.list'),
                 '/etc/expected-warnings.list': self.path('expected-warnings.list')}
        write_if_changed(self.path('plan'), plan.encode())
        # A name in the list below ends at a space, which the project's path may have.
        shutil.copy(WARNINGS, self.path('kernel-warnings.list'))
        write_if_changed(self.path('expected-warnings.list'), expected_warnings(plan).encode())
        for path, _ in kernel.modules():
            files[f'/lib/{os.path.basename(path)}'] = path
        for program in programs:
            # The debug information would double what the emulated drive reads.
            name = os.path.basename(program)
            stripped = self.path(name)
            command.run(['strip', '-o', stripped, program], self.build.log('image'))
            files[f'/tests/{name}'] = stripped
        shared = libraries(programs)
        files.update((path, path) for path in shared)
        if busybox:
            files['/bin/busybox'] = busybox
        files.update(extra or {})
        with open(os.path.join(GUEST_SOURCES, 'initramfs.list'), encoding='utf-8') as f:
            text = f.read()
        text += ''.join(f'dir {path} 755 0 0\n' for path in folders([*shared, *(extra or {})])
                        if f'dir {path} ' not in text)
        text += ''.join(f'file {name} {path} 755 0 0\n' for name, path in files.items())
        write_if_changed(self.path('initramfs.list'), text.encode())

        initrd = self.path('initrd')
        command.run([os.path.join(kernel.out, 'usr/gen_init_cpio'), self.path('initramfs.list')],
                    self.build.log('image'), stdout=initrd)
        shutil.copy(kernel.image(), self.path('linux'))
        return boot_iso(self.build, self.path('boot.iso'), self.path('linux'), initrd,
                        f'{CMDLINE} {parameters}')
