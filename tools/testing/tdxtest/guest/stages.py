# SPDX-License-Identifier: GPL-2.0-only
"""The stages that commands are chains of: source, tree, kernel, suite, image, boot."""

import argparse
import contextlib
import datetime

from tdxtest.base import apt
from tdxtest.base.build_folder import Build, check_name
from tdxtest.base.failure import UsageError
from tdxtest.base.progress import Progress
from tdxtest.guest import boot, host, image, machines, shards, shell
from tdxtest.tree import abi, series, source, suite
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.work_tree import WorkTree
from tdxtest.verdict import ktap, results

# Seconds of guest time that one test program may take.
TEST_TIMEOUT_S = 900
# How much longer the watchdog waits for a debug kernel, whose longest silence is in
# its boot: the initramfs takes it a billion instructions.
DEBUG_PATIENCE = 5


class Session:
    """The stages with what one leaves for the next."""

    def __init__(self, args, progress=None):
        self.args = args
        if args.kernel and args.kdir:
            raise UsageError('KERNEL= and KDIR= are two answers to one question; give one')
        # Before anything long: a typing error must not cost a build.
        check_name(args.build)
        self.selection = suite.parse_selection(' '.join(getattr(args, 'tests', [])))
        self.machine = machines.named(getattr(args, 'machine', 'bochs'))
        self.machine.check_cpus(getattr(args, 'cpus', 1))
        if self.machine.runs_host:
            host.check_options(args)
        self.jobs = shards.jobs(getattr(args, 'jobs', None))
        # Names of generations; '' is the kernel's own.
        self.abi = getattr(args, 'abi', '')
        self.expect = getattr(args, 'expect', '')
        for name in filter(None, (self.abi, self.expect)):
            abi.named(name)
        self.wanted_environment = image.parse_environment(getattr(args, 'env', []))
        self.patches = series.requested(getattr(args, 'patch', []))
        self.given = source.from_kdir(args.kdir) if args.kdir else None
        self.progress = progress or Progress()
        self.build = Build(args.build, self.progress, args.mirror)
        self.work = self.kernel = self.suite = None
        self.collect = ''       # see image.plan_text()
        self.results = []       # of each boot with tests
        self.guests = []        # of the last boot

    def fetch(self):
        """The kernel's source with the overlay and the patches."""
        apt.ensure_installed(self.progress, self.build.log('apt'))
        chosen = self.given or source.packaged(self.build, self.args.kernel, self.args.update)
        self.progress.say(f'kernel: Linux {chosen.version} ({chosen.origin})')
        self.work = WorkTree(self.build, chosen)
        self.lay()

    def generation(self):
        version = self.work.source.key()
        return abi.named(self.abi) if self.abi else abi.of_tree(version, self.patches)

    def lay(self):
        extra = dict.fromkeys((*abi.patches(self.generation(), self.work.source.key()),
                               *self.machine.patches, *self.patches))
        with self.progress.step('overlay', 'laying the overlay and the patches over the source'):
            changed = self.work.lay(extra)
        self.progress.say(f'overlay: {changed} file(s) changed')
        for patch in extra:
            self.progress.say(f'overlay: applied patches/{patch}')

    def prepare(self, with_suite=True):
        """Everything up to a built kernel, and the built suite if asked for."""
        self.fetch()
        self.compile(with_suite)

    def compile(self, with_suite):
        configs = (['base', 'sim'] + (['trace'] if self.traced() else []) +
                   (['debug'] if self.is_debug() else []))
        self.kernel = Kernel(self.build, self.work, configs)
        self.kernel.configure()
        self.kernel.compile()
        if with_suite:
            self.compile_suite()

    def compile_suite(self):
        self.suite = suite.Suite(self.build, self.suite_tree())
        self.suite.compile()

    def suite_tree(self):
        """The tree whose selftest library the suite is built with.

        The suite wants the library as it is since the first packaged series.
        Its programs need nothing of the kernel that runs them but its uAPI.
        """
        if self.work.source.key() >= source.FIRST_PACKAGED:
            return self.work
        newest = WorkTree(self.build, source.packaged(self.build))
        newest.lay()
        self.progress.say(f'suite: Linux {self.work.source.version} has an older selftest '
                          f'library; using that of {newest.source.version}')
        return newest

    def is_debug(self):
        """The kernel is one that checks itself."""
        return getattr(self.args, 'debug', False)

    def traced(self):
        """Of how many events before a failure the guest tells, 0 for none."""
        return getattr(self.args, 'trace', 0)

    def parameters(self):
        """What the machine asks for on the command line of the guest's kernel."""
        machine = self.machine
        debug = machine.debug_parameters if self.is_debug() else ''
        return f'{machine.parameters} {debug}'.strip()

    def boot_image(self, folder, tests, busybox='', parameters=''):
        """The boot image for tests, made in `folder`."""
        sim = self.kernel.has('INTEL_TDX_SIM')
        plan = image.plan_text(tests, self.kernel.modules(), self.machine.watermark if sim else '',
                               TEST_TIMEOUT_S, bool(busybox), self.environment(), self.collect,
                               self.traced())
        # A shell is there to try any of them by hand.
        names = suite.names() if busybox else [name for name, _ in tests]
        programs = [self.suite.program(name) for name in names]
        return image.Image(self.build, folder).make(self.kernel, programs, plan, busybox,
                                                   f'{self.parameters()} {parameters}')

    def guest(self, folder):
        patience = DEBUG_PATIENCE if self.is_debug() else 1
        limits = boot.Limits(self.args.silence * patience, self.args.total * patience)
        return boot.Guest(self.machine, folder, limits, self.args.verbose)

    def boot_shell(self):
        """Boot to a shell on this terminal; gives the Verdict."""
        installation = self.machine.prepare(self.build)
        busybox = shell.busybox(self.build)
        folder = self.build.folder('run', self.work.source.name)
        with self.progress.step('image', 'making the initramfs and the boot image'):
            iso = self.boot_image(folder, [], busybox)
        console = shell.interact(self.guest(folder), iso, installation, self.args.cpus)
        return ktap.judge(console, 'ended from the keyboard', wants_tests=False)

    def boot(self, tests):
        """Boot with the tests, split over guests; gives the Verdict."""
        tests = shards.failed_first(tests, results.failed_in(self.build.path(results.LAST)))
        shares = shards.split(tests, self.suite and self.suite.cases, self.jobs)
        guests = [(guest.console, guest.ended,
                   {name: shards.chosen(args) for name, args in share})
                  for guest, share in zip(self.boot_guests(shares), shares)]
        verdict = ktap.judge_all(guests, wants_tests=bool(tests))
        if tests:
            self.results.append(results.collect(guests, verdict, self.about()))
        return verdict

    def about(self):
        """What was run on what, for the results."""
        expected = self.expect or self.generation().name
        return {'kernel': self.work.source.version, 'origin': self.work.source.origin,
                'machine': self.machine.name, 'abi': self.generation().name,
                'expected': expected,
                'patches': list(self.patches),
                'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds')}

    def boot_guests(self, shares):
        """Boot a guest with each share of the tests; gives the Guests, which have ended."""
        installation = self.machine.prepare(self.build)
        parts = [str(n) for n in range(1, len(shares) + 1)] if len(shares) > 1 else ['']
        folders = [self.build.folder('run', self.work.source.name, part) for part in parts]
        with self.progress.step('image', 'making the initramfs and the boot image'):
            images = [self.boot_image(folder, share) for folder, share in zip(folders, shares)]
        guests = [self.guest(folder) for folder in folders]
        boot.run_step(self.progress, 'boot', f'{self.machine.name} {installation.version}, '
                      f'{self.args.cpus} CPU(s)', guests, images, installation, self.args.cpus)
        last = max(guests, key=lambda guest: guest.tests_s)
        self.progress.move('boot', 'tests', last.tests_s)
        self.progress.move('boot', 'power-off', last.off_s)
        self.guests = guests
        return guests

    def environment(self):
        expected = abi.named(self.expect) if self.expect else self.generation()
        return {**abi.environment(expected, getattr(self.args, 'strict_abi', False)),
                **self.wanted_environment}

    def conclude(self, verdict):
        """Print the verdict and the times; gives the exit status."""
        for problem in verdict.problems:
            self.progress.line(f'  {problem}')
        self.progress.line(self.progress.table())
        version = self.results[-1]['kernel'] if self.results else self.work.source.version
        self.progress.line(f'{verdict.summary} (Linux {version})')
        # Behind the verdict, which no full disk is to hold back.
        self.progress.save(self.build.path('times.json'))
        if self.results:
            results.write(self.build.path(results.LAST), results.to_json(self.results))
            results.save(self.results, self.args)
        return verdict.status


@contextlib.contextmanager
def another(session, **options):
    """A prepared Session in the same folder, as with other options on the command line."""
    args = argparse.Namespace(**{**vars(session.args), **options})
    with session.build.unlocked():
        made = Session(args, session.progress)
        try:
            made.prepare()
            yield made
        finally:
            made.build.close()
