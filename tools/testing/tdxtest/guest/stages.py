# SPDX-License-Identifier: GPL-2.0-only
"""From a request to a built kernel and suite, a stage after the other.

A stage gives what it made; the next one takes it.
"""

import dataclasses
import typing
from collections.abc import Sequence

from tdxtest.base import apt
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress
from tdxtest.guest.request import PACKAGED, TREE, Request
from tdxtest.tree import abi, mbox, source
from tdxtest.tree.kernel import Kernel
from tdxtest.tree.suite import Suite
from tdxtest.tree.work_tree import WorkTree


@dataclasses.dataclass(frozen=True)
class Laid:
    """A request, with the source that was laid for it."""

    request: Request
    build: Build
    work: WorkTree

    @property
    def progress(self) -> Progress:
        return self.build.progress

    def generation(self) -> abi.Generation:
        """The generation of the ABI that is built."""
        return self.request.generation(self.work.source)

    def with_build(self, **changes: typing.Any) -> typing.Self:
        """The same with another BuildRequest; what was built stays what it is."""
        return dataclasses.replace(self, request=self.request.with_build(**changes))

    def with_boot(self, **changes: typing.Any) -> typing.Self:
        """The same to be booted in another way."""
        return dataclasses.replace(self, request=self.request.with_boot(**changes))

    def expecting(self, generation: str) -> typing.Self:
        """The same with tests that expect a generation."""
        expect = dataclasses.replace(self.request.expect, generation=generation)
        return dataclasses.replace(self, request=dataclasses.replace(self.request,
                                                                     expect=expect))


@dataclasses.dataclass(frozen=True)
class Built(Laid):
    """The same with a built kernel. The suite was built as well unless a stage says not."""

    kernel: Kernel
    suite: Suite


def opened(request: Request, progress: Progress | None = None) -> Build:
    """The build folder of a request."""
    build = Build(request.build.folder, progress or Progress(), request.build.mirror)
    build.progress.remember(build.path('steps.json'))
    return build


def fetch(request: Request, build: Build) -> Laid:
    """The kernel's source with the overlay and the patches."""
    apt.ensure_installed(build.progress, build.log('apt'))
    want = request.build
    chosen = (source.from_kdir(want.kdir) if want.kdir else
              source.packaged(build, want.kernel, want.update))
    build.progress.say(f'kernel: Linux {chosen.version} ({chosen.origin})')
    return lay(Laid(request, build, WorkTree(build, chosen)))


def lay(laid: Laid) -> Laid:
    """Bring the tree up to date: the overlay, and the patches that the request wants."""
    # A patch may be wanted for two reasons.
    extra = dict.fromkeys((*abi.patches(laid.generation(), laid.work.source.key()),
                           *laid.request.boot.machine.patches, *laid.request.build.patches))
    with laid.progress.step('overlay', 'laying the overlay and the patches over the source'):
        carried = laid.request.build.carried
        changed = laid.work.lay(extra, mbox.read(carried, alone=True) if carried else None)
    laid.progress.say(f'overlay: {changed} file(s) changed')
    for patch in extra:
        laid.progress.say(f'overlay: applied patches/{patch}')
    return laid


def compile_kernel(laid: Laid) -> Kernel:
    """The kernel, configured and built."""
    configs = ['base', 'sim']
    configs += ['trace'] if laid.request.boot.trace else []
    configs += ['debug'] if laid.request.build.debug else []
    configs += [laid.request.build.config] if laid.request.build.config else []
    kernel = Kernel(laid.build, laid.work, configs)
    kernel.configure()
    kernel.compile()
    return kernel


def compile_suite(laid: Laid, names: Sequence[str] = ()) -> Suite:
    """The suite, built with the selftest library of the tree, or with a packaged kernel's.

    names: of programs, if only some are wanted. They need nothing of the kernel that
    runs them but its uAPI.
    """
    wanted, why = laid.request.build.library, laid.work.unfit
    if wanted == PACKAGED:
        why = why or f'--library {PACKAGED}'
    elif not why:
        suite = Suite(laid.build, laid.work)
        try:
            suite.compile(names)
            return suite
        except Failure as e:
            # A packaged kernel has the library that the suite is written for.
            if wanted == TREE or not laid.work.source.pristine:
                raise
            why = f'with the selftest library of Linux {laid.work.source.version}: {e}'
    elif wanted == TREE:
        raise Failure(f'--library {TREE}: {why}')
    return packaged_suite(laid, why, names)


def packaged_suite(laid: Laid, why: str, names: Sequence[str]) -> Suite:
    """The suite, built with the selftest library of a packaged kernel.

    The headers are those of the newer one: they name what the other does not know.
    """
    library = WorkTree(laid.build, source.packaged(laid.build))
    if library.source.name == laid.work.source.name:
        library = laid.work
    else:
        library.lay()
    laid.progress.say(f'suite: {why}; using the selftest library of Linux '
                      f'{library.source.version}')
    newer = laid.work.source.key() > library.source.key()
    suite = Suite(laid.build, library, laid.work.out(f'suite-{library.source.name}'),
                  laid.work if newer else library)
    suite.compile(names)
    return suite


def compile_all(laid: Laid) -> Built:
    """The kernel and the suite."""
    kernel = compile_kernel(laid)
    return Built(laid.request, laid.build, laid.work, kernel, compile_suite(laid))


def without_suite(laid: Laid) -> Built:
    """The kernel alone, for boots that run no test."""
    return Built(laid.request, laid.build, laid.work, compile_kernel(laid),
                 Suite(laid.build, laid.work))


def prepare(request: Request, progress: Progress | None = None) -> Built:
    """All stages: a built kernel and suite."""
    return compile_all(fetch(request, opened(request, progress)))
