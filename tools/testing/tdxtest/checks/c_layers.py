# SPDX-License-Identifier: GPL-2.0-only
"""No file of C uses what lies above it, and no stems use each other in a circle."""

from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree import c_layers
from tdxtest.tree.project import files, text_of

NAME = 'layers of the C code'
WHEN = When.STATIC
TREES = (
    # A test uses the library; the library uses no test.
    c_layers.Tree('tools/testing/selftests/kvm', (('include/x86/tdx/', 'lib/x86/tdx/'), ('x86/',))),
)


def check(_progress: Progress) -> Iterator[str]:
    for tree in TREES:
        uses = c_layers.Uses({name: text_of(name) for name in files()
                              if name.startswith(f'{tree.top}/')
                              and name.endswith(c_layers.C_SUFFIXES)})
        if not uses.of:
            yield f'{tree.top}: has no C'
        yield from c_layers.check_layers(tree, uses)
        yield from c_layers.check_circles(tree, uses)
