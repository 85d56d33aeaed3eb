# SPDX-License-Identifier: GPL-2.0-only
"""The suite passes on the debug kernel, which is proven to report each kind of defect.

So are the mutants that only this kernel can try."""

import os
import re
import shutil
from collections.abc import Collection, Iterator

from tdxtest.base import command
from tdxtest.base.build_folder import write_if_changed
from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.paths import GUEST_SOURCES
from tdxtest.checks import all_mutants, kunit_tests, two_cpus
from tdxtest.guest import boot, image, runs, stages
from tdxtest.guest.stages import Built
from tdxtest.kvm import modules
from tdxtest.tree.kernel import Modules
from tdxtest.verdict import mutants

NAME = 'debug kernel'
WHEN = When.LONG
SOURCE = os.path.join(GUEST_SOURCES, 'defects.c')
# Without it KASAN says nothing after its first report.
PARAMETERS = 'kasan_multi_shot'
# (option, what the kernel says of its defect in guest_src/defects.c)
REPORTS = (
    ('PROVE_RCU', 'WARNING: suspicious RCU usage'),
    ('DEBUG_ATOMIC_SLEEP', 'BUG: sleeping function called from invalid context'),
    ('DEBUG_PREEMPT', 'BUG: using smp_processor_id() in preemptible'),
    ('DEBUG_IRQFLAGS', 'raw_local_irq_restore() called with IRQs enabled'),
    ('PROVE_LOCKING', 'WARNING: possible circular locking dependency detected'),
    ('UBSAN_SHIFT', 'UBSAN: shift-out-of-bounds'),
    ('UBSAN_BOUNDS', 'UBSAN: array-index-out-of-bounds'),
    ('UBSAN_BOOL', 'UBSAN: invalid-load'),
    ('DEBUG_LIST', 'list_add corruption'),
    ('KASAN', 'BUG: KASAN: slab-out-of-bounds'),
    ('KASAN', 'BUG: KASAN: slab-use-after-free'),
    ('KASAN_STACK', 'BUG: KASAN: stack-out-of-bounds'),
    ('KASAN_VMALLOC', 'BUG: KASAN: vmalloc-out-of-bounds'),
    ('DEBUG_KMEMLEAK', 'new suspected memory leaks'),
)
# What objtool says of the defect that it must find.
NOINSTR = re.compile(r'defects_noinstr\+0x[0-9a-f]+: call to defects_instrumented\(\) '
                     r'leaves \.noinstr\.text section')


def compile_defects(built: Built) -> str:
    """Compile defects.ko and defects.o for the debug kernel; gives their folder."""
    folder = built.work.out('defects')
    shutil.rmtree(folder, ignore_errors=True)
    with open(SOURCE, 'rb') as f:
        write_if_changed(os.path.join(folder, 'defects.c'), f.read())
    write_if_changed(os.path.join(folder, 'Kbuild'), b'obj-m := defects.o\n')
    built.kernel.make(f'M={folder}', 'modules', log='defects')
    return folder


def unreported(lines: Collection[str]) -> Iterator[str]:
    """A line for each defect that the kernel log does not tell of."""
    for option, text in REPORTS:
        if not any(text in line for line in lines):
            yield f'debug kernel: CONFIG_{option}: wanted "{text}" of a seeded defect, got none'


def check_reports(built: Built, folder: str) -> Iterator[str]:
    """Load the defects into the debug kernel: each is reported."""
    installation = built.request.boot.machine.prepare(built.build)
    run = built.build.folder('run', built.work.source.name, 'defects')
    loaded: Modules = [*built.kernel.modules(), ('defects.ko', [])]
    plan = image.plan_text([], loaded, built.request.boot.machine.watermark,
                           runs.TEST_TIMEOUT_S, False)
    iso = image.Image(built.build, run).make(
        built.kernel, [], plan, parameters=f'{runs.parameters(built.request)} {PARAMETERS}',
        extra={'/lib/defects.ko': os.path.join(folder, 'defects.ko')})
    guest = runs.new_guest(built.request, run)
    boot.run_step(built.progress, 'defects', f'{len(REPORTS)} seeded defects', [guest], [iso],
                  installation, 1, lambda line: None)
    guest.check_machine()
    yield from unreported([text for text, _ in guest.console.log])


def check_noinstr(built: Built, folder: str) -> Iterator[str]:
    """objtool, called as for vmlinux.o, refuses the object of the defects."""
    *_, text = modules.saved_command(os.path.join(built.kernel.out, 'vmlinux.o')).split(';')
    if 'objtool' not in text:
        yield 'debug kernel: objtool does not look at vmlinux.o'
        return
    text = modules.replaced(text, 'vmlinux.o', os.path.join(folder, 'defects.o'))
    log = built.build.log('defects')
    try:
        command.run(['sh', '-c', text], log, cwd=built.kernel.out)
        yield 'debug kernel: objtool takes what is noinstr and calls what is not'
    except Failure:
        with open(f'{log}.failed', encoding='utf-8', errors='replace') as f:
            said = f.read()
        if not NOINSTR.search(said):
            yield (f'debug kernel: objtool: wanted "{NOINSTR.pattern}", '
                   f'got {said.strip()[-200:]!r}')


def check_mutants(built: Built, debug: Built) -> Iterator[str]:
    """Those that the other kernel cannot try are killed here."""
    left = [mutant for mutant in mutants.chosen([])
            if mutants.missing_options(mutant, built.kernel.has)]
    for mutant in left:
        for option in mutants.missing_options(mutant, debug.kernel.has):
            yield f'mutants/{mutant.name}: needs CONFIG_{option}, which no kernel here has'
    yield from all_mutants.check_chosen(debug, left)


def check(built: Built) -> Iterator[str]:
    want = built.request.with_build(debug=True)
    debug = stages.compile_all(stages.fetch(want, built.build))
    folder = compile_defects(debug)
    yield from check_noinstr(debug, folder)
    yield from check_reports(debug, folder)
    yield from kunit_tests.check(debug)
    done = runs.run_tests(debug, debug.suite.select([]))
    built.progress.say(f'check: debug kernel: {done.verdict.summary}')
    yield from done.verdict.wrong()
    yield from two_cpus.check(done)
    yield from check_mutants(built, debug)
