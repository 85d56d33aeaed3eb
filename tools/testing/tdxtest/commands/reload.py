# SPDX-License-Identifier: GPL-2.0-only
"""The command that reloads KVM again and again, and looks for what is lost."""

import argparse
import os

from tdxtest.base import command
from tdxtest.base.build_folder import Build
from tdxtest.base.paths import GUEST_SOURCES
from tdxtest.guest import boot, image, request, runs, stages
from tdxtest.guest.options import EPILOG, Commands, add_boot_options, add_build_options
from tdxtest.guest.stages import Built
from tdxtest.tree.kernel import Modules
from tdxtest.verdict import judging

SOURCE = os.path.join(GUEST_SOURCES, 'reload.c')
PROGRAM = 'reload'
# A TD that is created, runs and is destroyed.
TEST, CASE = 'tdx_smoke_test', 'smoke.done.runs'
COUNT = 100
# After this many times the kernel's caches no longer grow.
WARM_UP = 10
# In kB. That is less than a page for each reload; per-CPU lists hold some pages back.
TOLERANCE_KB = 256
TIMEOUT_S = 3000


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('reload', epilog=EPILOG,
                                 help='reload KVM with a TD run in between, many times; '
                                      'neither memory nor a KeyID may be lost')
    add_build_options(parser)
    add_boot_options(parser, jobs=False)
    parser.add_argument('--count', type=int, default=COUNT, metavar='N',
                        help='how many times (default: %(default)s)')
    return parser


def program(build: Build) -> str:
    """The guest's program, compiled."""
    target = build.path(PROGRAM)
    command.run(['gcc', '-O2', '-Wall', '-s', '-o', target, SOURCE],
                build.log('image'), what=f'compiling {os.path.basename(SOURCE)}')
    return target


def words(modules: Modules, count: int) -> list[str]:
    """Arguments of the program. modules: [(path, [parameters])] of Kernel.modules()."""
    return [str(count), str(min(WARM_UP, max(1, count // 2))), str(TOLERANCE_KB),
            f'/tests/{TEST}', '-r', CASE, '--',
            *(f'/lib/{os.path.basename(path)}' for path, _ in modules),
            '--', *modules[-1][1]]


def boot_once(built: Built, count: int) -> judging.Verdict:
    """Boot and reload `count` times; gives the judging.Verdict."""
    wanted = built.request.boot
    installation = wanted.machine.prepare(built.build)
    folder = built.build.folder('run', built.work.source.name, 'reload')
    modules = built.kernel.modules()
    plan = image.plan_text([(PROGRAM, words(modules, count))], modules,
                           wanted.machine.watermark, TIMEOUT_S, False, runs.environment(built))
    iso = image.Image(built.build, folder).make(
        built.kernel, [program(built.build), built.suite.program(TEST)], plan,
        parameters=runs.parameters(built.request))
    guest = runs.new_guest(built.request, folder)
    boot.run_step(built.progress, 'reload', f'{count} times, {wanted.cpus} CPU(s)',
                  [guest], [iso], installation, wanted.cpus)
    return judging.judge(guest.console, guest.ended)


def run(args: argparse.Namespace) -> int:
    built = stages.prepare(request.from_arguments(args))
    return runs.conclude(built.build, boot_once(built, args.count), built.work.source.version)
