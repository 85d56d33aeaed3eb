# SPDX-License-Identifier: GPL-2.0-only
"""Runs the suite on a host that is not booted, under the kernel that it has."""

import os

from tdxtest.base.failure import UsageError
from tdxtest.guest import boot, image
from tdxtest.tree import abi, kselftest, series, source
from tdxtest.verdict import ktap, results

# Seconds of real time that one test program may take.
TEST_TIMEOUT_S = 300
# What only a kernel that is built here can have.
BUILD_OPTIONS = ('abi', 'patch', 'debug', 'kdir')


def check_options(args):
    """UsageError for options that would change the kernel of somebody's host."""
    given = [f'--{name}' for name in BUILD_OPTIONS if getattr(args, name, None)]
    if args.command != 'run':
        given.insert(0, args.command)
    if given:
        raise UsageError(f'--machine {args.machine}: {given[0]} needs a kernel that is built '
                         'here; the host keeps its own')


def expected(args, version):
    """The generation of the ABI that a host's kernel is to have."""
    if args.expect:
        return abi.named(args.expect)
    key = series.parse_version(version)
    if key < source.FIRST_TDX:
        raise UsageError(f'--machine {args.machine}: Linux {version} has no KVM with TDX')
    return abi.of_tree(key)


def run(session):
    """Build the suite, run it on the host; gives the Verdict."""
    machine, build, progress = session.machine, session.build, session.progress
    installation = machine.prepare(build)
    generation = expected(session.args, installation.version)
    session.fetch()
    session.compile_suite()
    tests = session.suite.select(session.selection)
    staging = build.path('kselftest_install')
    kselftest.make(session, 'install', staging)
    folder = build.folder('run', 'host')
    environment = {**abi.environment(generation, session.args.strict_abi),
                   **session.wanted_environment}
    plan = os.path.join(folder, 'plan')
    results.write(plan, image.plan_text(tests, [], '', TEST_TIMEOUT_S, False, environment))
    bundle = os.path.join(folder, 'bundle.tar')
    machine.bundle(bundle, plan, [os.path.join(staging, 'kvm', name) for name, _ in tests],
                   image.WARNINGS)
    guest = session.guest(folder)
    boot.run_step(progress, 'tests', f'{session.args.machine}, Linux {installation.version}',
                  [guest], [bundle], installation, 1)
    ran = [(guest.console, guest.ended, {name: [] for name, _ in tests})]
    verdict = ktap.judge_all(ran)
    about = {**session.about(), 'kernel': installation.version, 'origin': session.args.machine,
             'abi': generation.name, 'expected': generation.name}
    session.results.append(results.collect(ran, verdict, about))
    return verdict
