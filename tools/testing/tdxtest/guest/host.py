# SPDX-License-Identifier: GPL-2.0-only
"""Runs the suite on a host that is not booted, under the kernel that it has."""

import os

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import UsageError
from tdxtest.base.paths import WARNINGS
from tdxtest.guest import boot, image, runs, shards, stages
from tdxtest.guest.machines import ssh
from tdxtest.guest.request import Request
from tdxtest.tree import abi, kselftest, series, source
from tdxtest.verdict import judging, results

# Seconds of real time that one test program may take.
TEST_TIMEOUT_S = 300


def expected(request: Request, version: str) -> abi.Generation:
    """The generation of the ABI that a host's kernel must have."""
    if request.expect.generation:
        return abi.named(request.expect.generation)
    key = series.parse_version(version)
    if key < source.FIRST_TDX:
        raise UsageError(f'--machine {request.boot.machine.option}: Linux {version} has no KVM '
                         'with TDX')
    return abi.of_tree(key)


def run(request: Request, build: Build) -> runs.Run:
    """Build the suite and run it on the host."""
    machine = request.boot.machine
    assert isinstance(machine, ssh.Ssh)
    installation = machine.prepare(build)
    generation = expected(request, installation.version)
    laid = stages.fetch(request, build)
    suite = stages.compile_suite(laid)
    tests = shards.joined(suite.select(request.boot.tests))
    staging = build.path('kselftest_install')
    kselftest.make(build, suite.work, 'install', staging)
    folder = build.folder('run', 'host')
    environment = {**abi.environment(generation, request.expect.strict_abi,
                                     series.parse_version(installation.version)),
                   **dict(request.boot.environment)}
    plan = os.path.join(folder, 'plan')
    results.write(plan, image.plan_text(tests, [], '', TEST_TIMEOUT_S, False, environment,
                                        times=request.boot.repeat))
    bundle = os.path.join(folder, 'bundle.tar')
    machine.bundle(bundle, plan, [os.path.join(staging, 'kvm', name) for name, _ in tests],
                   WARNINGS)
    guest = runs.new_guest(request, folder)
    seen = runs.view_of(build.progress, request, [tests], lambda name: suite.cases_of(name) or ())
    boot.run_step(build.progress, 'tests', f'{machine.option}, Linux {installation.version}',
                  [guest], [bundle], installation, 1, view=seen)
    ran: list[judging.Judged] = [(guest.console, guest.ended, {name: [] for name, _ in tests})]
    verdict = runs.verdict_on(request, ran)
    about = {**runs.about(laid), 'kernel': installation.version, 'origin': machine.option,
             'abi': generation.name, 'expected': generation.name}
    return runs.Run(request, build, verdict, (guest,), results.collect(ran, verdict, about))
