# SPDX-License-Identifier: GPL-2.0-only
"""The command that measures how long a build, a boot, a run and a TD's exits take.

The commands are run as a person runs them, on a tree of its own below build/bench.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping

from tdxtest.base import apt, command
from tdxtest.base.build_folder import Build, check_name
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure, UsageError
from tdxtest.base.paths import PROJECT, TOOL
from tdxtest.base.progress import Progress
from tdxtest.guest import peers
from tdxtest.guest.options import EPILOG, Commands, add_place_options
from tdxtest.tree import source
from tdxtest.verdict import bench_table, case_cost, figures_page, results
from tdxtest.verdict.bench_table import Row

TDX_C = 'arch/x86/kvm/vmx/tdx.c'
MAP_GPA = 'tdx_map_gpa_test'
SMOKE = 'tdx_smoke_test'
PROGRAM = 'tdx_exit_bench'
# What is measured, in this order; a later part uses what an earlier one built.
PARTS = ('build', 'run', 'edit', 'guest', 'case', 'peers')
STEPS = {'build': ('fetch', 'unpack', 'configure', 'build', 'suite'),
         'run': ('boot', 'tests', 'power-off')}


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('bench', help='measure builds, boots, runs, and exits of a TD',
                                 epilog=EPILOG)
    parser.add_argument('--kernel', default='', metavar='SERIES',
                        help='a packaged kernel, such as 7.2 or 7.3 (default: the newest)')
    add_place_options(parser)
    parser.add_argument('--repeat', type=int, default=5, metavar='N',
                        help='samples of what takes seconds (default: %(default)s)')
    parser.add_argument('--parts', default=','.join(PARTS), metavar='PART,...',
                        help='what to measure (default: %(default)s); all but "build" use what '
                             'an earlier bench has built')
    parser.add_argument('--json', default='', metavar='FILE',
                        help='where the samples go (default: bench.json in the build folder)')
    parser.add_argument('--figures', action='store_true',
                        help=f'measure nothing; write {figures_page.PAGE} from the samples of '
                             'the last bench')
    return parser


def samples_path(args: argparse.Namespace) -> str:
    return args.json or os.path.join(os.path.abspath(args.build), 'bench.json')


def write_figures(args: argparse.Namespace) -> int:
    """Make the page of figures of the last bench."""
    bench = results.load_tagged(samples_path(args), figures_page.FORMAT, 'tdxtest.py bench')
    results.write(os.path.join(PROJECT, figures_page.PAGE), figures_page.render(bench))
    print(f'{figures_page.PAGE} has the figures of the last bench')
    return EXIT_PASS


def cpu_model() -> str:
    """The name of this machine's CPU."""
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        match = re.search(r'^model name\s*: (.*)', f.read(), re.MULTILINE)
    return match[1].strip() if match else 'unknown'


def run(args: argparse.Namespace) -> int:
    if args.figures:
        return write_figures(args)
    parts = args.parts.split(',')
    for part in parts:
        if part not in PARTS:
            raise UsageError(f'--parts {part}: wanted some of {",".join(PARTS)}')
    if args.repeat < 1:
        raise UsageError(f'--repeat {args.repeat}: wanted 1 or more')
    bench = Bench(args)
    if parts[0] != 'build' and not os.path.isdir(bench.tree):
        raise UsageError(f'{bench.tree} is not there; measure the part "build" first')
    for part in parts:
        try:
            bench.measure(part)
        except Failure as e:
            # The measurements before the failure took long: they are printed in any case.
            bench.failures.append(f'{part}: {e}')
            if part == 'build':
                break
    return bench.conclude()


class Bench:
    """The samples so far, and the commands that give more."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.progress = Progress()
        self.root = os.path.join(os.path.abspath(args.build), 'bench')
        self.tree = os.path.join(self.root, 'linux')
        self.log = os.path.join(self.root, 'logs', 'bench.log')
        self.rows: list[Row] = []
        self.facts: dict[str, str] = {}     # for the page of figures, of the whole suite
        self.failures: list[str] = []   # of parts that did not come to their end
        # Holds the folder against another bench; the commands below get it in turn.
        check_name(args.build)
        self.build = Build(self.root, self.progress, args.mirror)
        apt.ensure_installed(self.progress, self.build.log('apt'))

    def measure(self, part: str) -> None:
        with self.progress.step('bench', part):
            getattr(self, f'measure_{part}')()

    def add(self, group: str, name: str, unit: str, sample: float) -> None:
        """One more sample of a row, which is made with the first."""
        for row in self.rows:
            if (row.group, row.name) == (group, name):
                row.samples.append(sample)
                return
        self.rows.append(Row(group, name, unit, [sample]))

    def command(self, *words: str) -> tuple[float, dict[str, float]]:
        """Run the tool on the bench's tree; seconds that it took, and times.json."""
        argv = [sys.executable, TOOL, *words, '--build', self.root, '--kdir', self.tree]
        if self.args.mirror:
            argv += ['--mirror', self.args.mirror]
        begin = time.monotonic()
        with open(self.log, 'wb') as log, self.build.unlocked():
            # A compiler cache would measure an earlier compilation, not this one.
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                       env=command.environment({'CCACHE_DISABLE': '1'}),
                                       stderr=subprocess.STDOUT, start_new_session=True)
            with command.ended_with_us(process):
                status = process.wait()
        took = time.monotonic() - begin
        if status != EXIT_PASS:
            raise Failure(f'tdxtest.py {" ".join(words)} ended with {status}; '
                          f'what it said is in {self.log}')
        with open(self.build.path('times.json'), encoding='utf-8') as f:
            return took, json.load(f)

    def add_times(self, group: str, steps: Iterable[str], times: Mapping[str, float]) -> None:
        for step in steps:
            if step in times:
                self.add(group, step, 's', times[step])

    def measure_build(self) -> None:
        """From nothing: download, unpack, and build what a first run builds."""
        for folder in ('kernels', 'downloads', 'apt', 'bochs', 'linux'):
            shutil.rmtree(self.build.path(folder), ignore_errors=True)
        found = source.packaged(self.build, self.args.kernel)
        # From here on it is a person's tree, as after a clone.
        os.rename(self.build.path('kernels', found.name, 'tree'), self.tree)
        shutil.rmtree(self.build.path('kernels'))
        self.add_times('from nothing', STEPS['build'], self.progress.times)
        took, times = self.command('build')
        self.add_times('from nothing', STEPS['build'], times)
        self.add('from nothing', 'build command', 's', took)

    def measure_run(self) -> None:
        """Nothing changed: the whole suite, then single tests."""
        # This run fetches and builds what is still missing.
        _, times = self.command('run')
        self.add_times('from nothing', ('emulator',), times)
        for _ in range(self.args.repeat):
            took, times = self.command('run')
            self.add_times('nothing changed', STEPS['run'], times)
            self.add('nothing changed', 'whole suite', 's', took)
            self.take_results()
        for name in (MAP_GPA, SMOKE):
            for _ in range(self.args.repeat):
                took, _ = self.command('run', name)
                self.add('nothing changed', name, 's', took)

    def take_results(self) -> None:
        """Add the times of the tests of a run of the whole suite."""
        (done,) = results.load(self.build.path(results.LAST))
        for test in done['tests']:
            if test['seconds'] is not None and test['cases']:
                self.add('test binaries, guest time', test['name'], 's', test['seconds'])
        self.facts = {**figures_page.facts(done), 'CPU of the host': cpu_model(),
                      'CPUs of the host': str(os.cpu_count())}

    def edit(self, number: int) -> None:
        """Change tdx.c so that its object file changes."""
        path = os.path.join(self.tree, TDX_C)
        with open(path, encoding='utf-8') as f:
            text = f.read()
        text = re.sub(r'\n/\* bench .*\n.*\n$', '\n', text)
        text += (f'\n/* bench {number} */\n'
                 f'const char tdx_bench[] __used = "{number}, {time.time_ns()}";\n')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)

    def measure_edit(self) -> None:
        """From an edit of tdx.c to the verdict."""
        for number in range(self.args.repeat):
            self.edit(number)
            took, times = self.command('run', MAP_GPA)
            self.add('after an edit of tdx.c', 'build', 's', times['build'])
            self.add('after an edit of tdx.c', MAP_GPA, 's', took)
        for number in range(self.args.repeat):
            self.edit(number)
            took, _ = self.command('run')
            self.add('after an edit of tdx.c', 'whole suite', 's', took)

    def measure_guest(self) -> None:
        """A TD's exits in the guest, by the TSC, which counts instructions there."""
        self.command('run', PROGRAM, '--jobs', '1')
        with open(self.log, encoding='utf-8', errors='replace') as f:
            rows = bench_table.parse_guest(f)
        if not rows:
            # Without this, the targets would count as held: they were not measured.
            raise Failure(f'{PROGRAM} printed no figures; what it said is in {self.log}')
        self.rows += rows

    def measure_case(self) -> None:
        """Where the cost of a case goes, of all cases in one guest."""
        self.command('run', '--cost', '--jobs', '1')
        with open(self.log, encoding='utf-8', errors='replace') as f:
            rows = case_cost.rows(f)
        if not rows:
            raise Failure(f'the tests printed no costs; what they said is in {self.log}')
        self.rows += rows

    def measure_peers(self) -> None:
        """Other tools that boot a kernel and run its tests, on the same tree."""
        apt.ensure_installed(self.progress, self.log, 'bench')
        for name, measure in peers.PEERS.items():
            folder = self.build.path('peers', name)
            os.makedirs(folder, exist_ok=True)
            found = measure(self.tree, folder, self.progress, self.args.repeat)
            self.rows += [Row(name, what, unit, samples) for what, unit, samples in found]

    def conclude(self) -> int:
        targets = bench_table.targets(self.rows)
        path = samples_path(self.args)
        with open(path, 'w', encoding='utf-8') as f:
            json.dump({'format': figures_page.FORMAT, 'cpus': os.cpu_count(),
                       'facts': self.facts, 'rows': [row.as_dict() for row in self.rows],
                       'targets': [target.as_dict() for target in targets],
                       'failures': self.failures}, f, indent=1)
            f.write('\n')
        for line in bench_table.lines(self.rows, targets):
            self.progress.line(line)
        for failure in self.failures:
            self.progress.line(f'FAIL: {failure}')
        self.progress.say(f'bench: the samples are in {path}')
        if self.failures:
            return EXIT_NOT_RUN
        return EXIT_PASS if all(target.held for target in targets) else EXIT_FAIL
