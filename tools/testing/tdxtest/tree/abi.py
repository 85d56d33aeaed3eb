# SPDX-License-Identifier: GPL-2.0-only
"""What KVM does in which kernels: generations of the MapGPA ABI, and features.

The names of generations are those of lib/x86/tdx/tdx_map_gpa_gens.c, which says what each
does, and those of features are in include/x86/tdx/tdx_kvm.h.
"""

import dataclasses
from collections.abc import Iterable

from tdxtest.base.failure import UsageError
from tdxtest.tree.series import Range, Version


@dataclasses.dataclass(frozen=True)
class Generation:
    """A row of the table.

    kernels: that have it by themselves, None if none does; patches: what brings
    another kernel there. The range of a patch in patches/series still counts.
    """

    name: str
    kernels: Range | None
    patches: tuple[str, ...] = ()

    def is_of(self, version: Version) -> bool:
        return self.kernels is not None and self.kernels.holds(version)


GENERATIONS = (
    Generation('legacy', Range.parse('[6.16,7.2)'),
               ('abi/0001-KVM-TDX-Fail-MAPGPA-for-any-error-of-userspace.patch',)),
    Generation('posted', None,
               ('abi/0001-KVM-TDX-Fail-MAPGPA-for-any-error-of-userspace.patch',
                'abi/0002-KVM-TDX-Let-userspace-tell-a-TD-to-retry-MAPGPA.patch')),
    Generation('merged', Range.parse('[7.2,)')),
    Generation('fixed', None,
               ('fixes/0001-KVM-TDX-Keep-an-ill-answered-MAPGPA-exit-pending.patch',)),
)
# Names what KVM does not have, see tdx_kvm.h.
LACKS = 'TDX_KVM_LACKS'
NAMES = tuple(g.name for g in GENERATIONS)
# Those that kernels or mails have had, which ABI=all compares.
ALL = ('legacy', 'posted', 'merged')


@dataclasses.dataclass(frozen=True)
class Feature:
    """What KVM has in some kernels only, and the suite does not test in the others."""

    name: str
    kernels: Range


FEATURES = (
    Feature('bus_lock_exit', Range.parse('[7.3,)')),
    Feature('no_source_einval', Range.parse('[7.3,)')),
)


def of_tree(version: Version, applied: Iterable[str] = ()) -> Generation:
    """The generation that a kernel has by itself, or by patches applied to it."""
    given = [g for g in GENERATIONS if g.patches and set(g.patches) <= set(applied)]
    if given:
        return max(given, key=lambda g: len(g.patches))
    return next(g for g in GENERATIONS if g.is_of(version))


def named(name: str) -> Generation:
    for generation in GENERATIONS:
        if generation.name == name:
            return generation
    raise UsageError(f'ABI={name}: no such generation; there are: {", ".join(NAMES)}, '
                     f'and all for {", ".join(ALL)}')


def patches(generation: Generation, version: Version) -> tuple[str, ...]:
    """Files of patches/ that give a kernel of `version` the generation."""
    return () if generation.is_of(version) else generation.patches


def environment(expected: Generation, strict: bool, version: Version) -> dict[str, str]:
    """What tells the suite what to expect (tdx_map_gpa_gens.h, tdx_kvm.h) of a kernel."""
    values = {'TDX_MAP_GPA_ABI': expected.name}
    lacks = [f.name for f in FEATURES if not f.kernels.holds(version)]
    if lacks:
        values[LACKS] = ','.join(lacks)
    if strict:
        values['TDX_MAP_GPA_STRICT'] = '1'
    return values
