# SPDX-License-Identifier: GPL-2.0-only
"""100,000 random sequences of ioctls hold on the debug kernel."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.guest import runs, stages
from tdxtest.guest.stages import Built

NAME = 'random sequences'
WHEN = When.LONG
TEST = 'tdx_ioctl_random_test'
# Sequences of each of the four cases in a boot: enough to take minutes, and few enough
# to end before the time limit of a test.
IN_BOOT = 500
CASES = 4
# (number of CPUs, seeds), as many seeds as it takes
BOOTS = ((1, range(1000, 1030)), (2, range(2000, 2020)))


def environment(seed: int) -> tuple[tuple[str, str], ...]:
    return ('TDX_RANDOM_SEED', str(seed)), ('TDX_RANDOM_SEQUENCES', str(IN_BOOT))


def check(built: Built) -> Iterator[str]:
    debug = stages.compile_all(stages.fetch(built.request.with_build(debug=True), built.build))
    tests = debug.suite.select([(TEST, '')])
    boots = [(cpus, seed) for cpus, seeds in BOOTS for seed in seeds]
    for cpus, seed in built.progress.each('random sequences', boots):
        given = debug.request.boot.environment + environment(seed)
        run = runs.run_tests(debug.with_boot(cpus=cpus, environment=given), tests)
        yield from (f'{cpus} CPU(s), seed {seed}: {problem}' for problem in run.verdict.wrong())
    built.progress.say(f'check: random sequences: {len(boots) * IN_BOOT * CASES} on the debug '
                       'kernel')
