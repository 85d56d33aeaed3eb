# SPDX-License-Identifier: GPL-2.0-only
"""Each status that the simulated module defines has a row in its list of names."""

import re
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import text_of
from tdxtest.verdict import sim_leafs

NAME = 'names of statuses'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    folder = sim_leafs.SIM
    rows = set(re.findall(r'^STATUS\((\w+)\)', text_of(f'{folder}/status.def'), re.MULTILINE))
    operands = set(re.findall(r'^OPERAND\((\w+)\)', text_of(f'{folder}/status.def'),
                              re.MULTILINE))
    text = text_of(f'{folder}/abi.h')
    for name in re.findall(r'^#define (TDX_\w+)\s+0x[0-9A-F]{16}ULL', text, re.MULTILINE):
        if name not in rows:
            yield f'{folder}/status.def: has no row for {name} of abi.h'
    for name in re.findall(r'^#define TDX_OPERAND_ID_(\w+)', text, re.MULTILINE):
        if name not in operands:
            yield f'{folder}/status.def: has no row for TDX_OPERAND_ID_{name} of abi.h'
