# SPDX-License-Identifier: GPL-2.0-only
"""Boots a built kernel with tests, without tests, or to a shell, and gives the outcome."""

import dataclasses
import datetime
import typing
from collections.abc import Callable, Iterable, Sequence

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import EXIT_PASS
from tdxtest.base.progress import Meter, Progress
from tdxtest.guest import boot, image, shards, shell, view
from tdxtest.guest.request import Request, again
from tdxtest.guest.stages import Built, Laid
from tdxtest.guest.td import tests as td
from tdxtest.tree import abi, kvm_api, parts, suite
from tdxtest.tree.suite import Tests
from tdxtest.verdict import findings, judging, repeated, results

# Seconds of guest time that one test program may take.
TEST_TIMEOUT_S = 900
# How much longer the watchdog waits for a debug kernel, whose longest silence is in
# its boot: the initramfs takes it a billion instructions.
DEBUG_PATIENCE = 5


@dataclasses.dataclass(frozen=True)
class Run:
    """The outcome of a run of tests. results: of results.collect()."""

    request: Request
    build: Build
    verdict: judging.Verdict
    guests: tuple[boot.Guest, ...]
    results: results.Results


@dataclasses.dataclass(frozen=True)
class GuestRun(Run):
    """The same under a kernel that was built."""

    built: Built


def parameters(request: Request) -> str:
    """What the machine asks for on the command line of the guest's kernel."""
    machine = request.boot.machine
    debug = machine.debug_parameters if request.build.debug else ''
    return f'{machine.parameters} {debug}'.strip()


def environment(laid: Laid) -> dict[str, str]:
    """The environment of the tests: what they expect, and what a person gave."""
    request = laid.request
    source = laid.work.source
    return {**abi.environment(request.expected(source), request.expect.strict_abi, source.key()),
            **findings_environment(request),
            **({'LD_PRELOAD': f'/lib/{image.CASE_COST}'} if request.boot.cost else {}),
            **dict(request.boot.environment)}


def findings_environment(request: Request) -> dict[str, str]:
    """What the suite must know of the findings (tdx_warning.h, tdx_kvm.h)."""
    values = {}
    # guest_src/klog.c knows what a test announces; no host should have to bear it.
    if not request.boot.machine.runs_host:
        values['TDX_KVM_WARN'] = 'announced'
        # A kernel that checks itself does not survive each of these.
        if not request.build.debug:
            values['TDX_KVM_WARN'] += ',findings'
    fixed = [str(finding.number) for finding in findings.load()
             if finding.fix in request.build.patches]
    if fixed:
        values['TDX_KVM_FIXES'] = ','.join(fixed)
    return values


def boot_image(built: Built, folder: str, tests: Tests, busybox: str = '',
               more: str = '') -> str:
    """The boot image for tests, made in `folder`; more: parameters of the kernel."""
    wanted = built.request.boot
    watermark = wanted.machine.watermark if built.kernel.has('INTEL_TDX_SIM') else ''
    plan = image.plan_text(tests, built.kernel.modules(), watermark,
                           TEST_TIMEOUT_S, bool(busybox), environment(built), wanted.collect,
                           wanted.trace, times=wanted.repeat)
    # A shell is there to try any of them by hand.
    names = suite.names() if busybox else [name for name, _ in tests]
    files = td.files(built, tests)
    if wanted.cost:
        files |= image.case_cost(built.build,
                                 built.suite.headers.out('headers', 'usr', 'include'))
    return image.Image(built.build, folder).make(
        built.kernel, td.programs(built, names), plan, busybox,
        f'{parameters(built.request)} {more}', files)


def new_guest(request: Request, folder: str) -> boot.Guest:
    """A guest that can be booted, with the request's limits."""
    patience = DEBUG_PATIENCE if request.build.debug else 1
    limits = boot.Limits(request.boot.silence * patience,
                         request.boot.total * patience * request.boot.repeat)
    return boot.Guest(request.boot.machine, folder, limits, request.boot.verbose)


def boot_shell(built: Built) -> judging.Verdict:
    """Boot to a shell on this terminal."""
    wanted = built.request.boot
    installation = wanted.machine.prepare(built.build)
    busybox = shell.busybox(built.build)
    folder = built.build.folder('run', built.work.source.name)
    with built.progress.step('image', 'making the initramfs and the boot image'):
        iso = boot_image(built, folder, [], busybox)
    console = shell.interact(new_guest(built.request, folder), iso, installation, wanted.cpus)
    return judging.judge(console, 'ended from the keyboard', wants_tests=False)


def boot_td_shell(built: Built, test: str) -> judging.Verdict:
    """Boot to a shell in a TD on this terminal. test: one of td_tests.NAMES."""
    tests: Tests = [(test, [])]
    built = td.fitting(built, [tests])
    wanted = built.request.boot
    installation = wanted.machine.prepare(built.build)
    folder = built.build.folder('run', built.work.source.name)
    watermark = wanted.machine.watermark if built.kernel.has('INTEL_TDX_SIM') else ''
    plan = image.plan_text([], built.kernel.modules(), watermark, TEST_TIMEOUT_S, True,
                           shell_program=f'/tests/{test} --shell')
    with built.progress.step('image', 'making the initramfs and the boot image'):
        iso = image.Image(built.build, folder).make(
            built.kernel, [], plan, parameters=parameters(built.request),
            extra=td.files(built, tests))
    console = shell.interact(new_guest(built.request, folder), iso, installation, wanted.cpus)
    return judging.judge(console, 'ended from the keyboard', wants_tests=False)


def boot_guests(built: Built, shares: Sequence[Tests]) -> tuple[boot.Guest, ...]:
    """Boot a guest with each share of the tests; gives the guests, which have ended."""
    built = td.fitting(built, shares)
    wanted = built.request.boot
    installation = wanted.machine.prepare(built.build)
    numbers = [str(n) for n in range(1, len(shares) + 1)] if len(shares) > 1 else ['']
    folders = [built.build.folder('run', built.work.source.name, number) for number in numbers]
    with built.progress.step('image', 'making the initramfs and the boot image'):
        images = [boot_image(built, folder, share) for folder, share in zip(folders, shares)]
    guests = [new_guest(built.request, folder) for folder in folders]
    seen = view_of(built.progress, built.request, shares,
                   lambda name: built.suite.cases_of(name) or ())
    meter = Meter(seen.count, 'cases', seen.total) if seen else None
    boot.run_step(built.progress, 'boot', f'{wanted.machine.name} {installation.version}, '
                  f'{wanted.cpus} CPU(s)', guests, images, installation, wanted.cpus,
                  view=seen, meter=meter)
    if seen:
        seen.conclude()
    last = max(guests, key=lambda guest: guest.tests_s)
    built.progress.move('boot', 'tests', last.tests_s)
    built.progress.move('boot', 'power-off', last.off_s)
    return tuple(guests)


def view_of(progress: Progress, request: Request, shares: Sequence[Tests],
            cases: Callable[[str], Sequence[str]]) -> view.View | None:
    """What shows the guests to a person, None where their KTAP is printed.

    cases: gives the ids of a test.
    """
    show = request.show
    if show.raw or request.boot.verbose or not (
            progress.terminal.person or show.summary or show.failed):
        return None
    return view.View(progress, shares, cases, lambda test: again(request, test), show,
                     request.boot.repeat)


def boot_only(built: Built) -> judging.Verdict:
    """Boot without tests."""
    [guest] = boot_guests(built, [[]])
    return judging.judge_all([(guest.console, guest.ended, {})], wants_tests=False)


def run_tests(built: Built, tests: Tests) -> GuestRun:
    """Boot with the tests, split over guests."""
    tests = shards.part(shards.joined(tests), built.suite.cases, built.request.boot.shard)
    last = results.failed_in(built.build.path(results.LAST))
    shares = shards.split(shards.failed_first(tests, last), built.suite.cases,
                          built.request.boot.jobs)
    guests = boot_guests(built, shares)
    judged = [(guest.console, guest.ended, {name: shards.chosen(args) for name, args in share})
              for guest, share in zip(guests, shares)]
    verdict = verdict_on(built.request, judged, kvm_api.notes(built.work.tree))
    return GuestRun(built.request, built.build, verdict, guests,
                    results.collect(judged, verdict, about(built)), built)


def verdict_on(request: Request, judged: Sequence[judging.Judged],
               notes: Iterable[str] = ()) -> judging.Verdict:
    """The verdict on the guests of a request, with more notes."""
    times = request.boot.repeat
    verdict = judging.judge_all(judged, strict=request.expect.strict_findings, times=times)
    return dataclasses.replace(verdict, notes=(*verdict.notes, *repeated.notes(judged, times),
                                               *notes))


def run_suite(built: Built) -> GuestRun:
    """Boot with the tests that the request names, all without any."""
    return run_tests(built, built.suite.select(built.request.boot.tests))


def about(laid: Laid) -> dict[str, typing.Any]:
    """What was run on what, for the results."""
    return {'kernel': laid.work.source.version, 'origin': laid.work.source.origin,
            'machine': laid.request.boot.machine.name, 'abi': laid.generation().name,
            'expected': laid.request.expected(laid.work.source).name,
            'patches': list(laid.request.build.patches),
            'debug': laid.request.build.debug, 'cpus': laid.request.boot.cpus,
            **({'shard': '{}/{}'.format(*laid.request.boot.shard)}
               if laid.request.boot.shard != shards.WHOLE else {}),
            **({'repeat': laid.request.boot.repeat} if laid.request.boot.repeat > 1 else {}),
            **({'commit': parts.commit_of(laid.work.source.pristine)}
               if laid.request.output.kcidb else {}),
            'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds')}


def conclude(build: Build, verdict: judging.Verdict, version: str,
             lines: Sequence[str] | None = None) -> int:
    """Print the verdict and the times; gives the exit status.

    lines: what to print above them, in place of all that is wrong or worth knowing.
    """
    for line in ([f'  {line}' for line in (*verdict.problems, *verdict.notes)]
                 if lines is None else lines):
        build.progress.line(line)
    build.progress.line(build.progress.table())
    colour = 'green' if verdict.status == EXIT_PASS else 'red'
    build.progress.line(build.progress.terminal.paint(f'{verdict.summary} (Linux {version})',
                                                      colour))
    # After the verdict: a full disk must not hold it back.
    build.progress.save(build.path('times.json'))
    return verdict.status


def conclude_runs(runs: Sequence[Run]) -> int:
    """conclude() of the last of the runs, with the results of all written."""
    *_, last = runs
    terminal, lines = last.build.progress.terminal, None
    if terminal.person and not last.request.show.raw:
        lines = view.summary(last.results, last.verdict.problems, last.verdict.notes,
                             terminal.columns())
    status = conclude(last.build, last.verdict, last.results['kernel'], lines)
    found = [run.results for run in runs]
    results.write(last.build.path(results.LAST), results.to_json(found))
    results.save(found, last.request.output)
    return status
