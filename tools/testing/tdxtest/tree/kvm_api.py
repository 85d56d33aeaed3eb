# SPDX-License-Identifier: GPL-2.0-only
"""KVM's userspace API: what a kernel's source has of it, and what the suite's tables have.

The source has a case label for each ioctl, capability and attribute, in the functions of
SWITCHES, and a macro for each flag. The suite has a row for each of them, which says what
a TD must get (include/x86/tdx/tdx_ioctl.h).
"""

import dataclasses
import glob
import os
import re
from collections.abc import Iterator, Mapping

from tdxtest.tree import c_source
from tdxtest.tree.project import text_of

# {kind: functions whose case labels are the kind's names}
SWITCHES = {
    'ioctl of /dev/kvm': ('kvm_dev_ioctl', 'kvm_arch_dev_ioctl'),
    'ioctl of a VM': ('kvm_vm_ioctl', 'kvm_arch_vm_ioctl'),
    'ioctl of a vCPU': ('kvm_vcpu_ioctl', 'kvm_arch_vcpu_ioctl'),
    'capability of a VM': ('kvm_vm_ioctl_enable_cap_generic', 'kvm_vm_ioctl_enable_cap'),
    'capability of a vCPU': ('kvm_vcpu_ioctl_enable_cap',),
    'attribute of /dev/kvm': ('__kvm_x86_dev_get_attr',),
    'attribute of a vCPU': ('kvm_arch_tsc_has_attr',),
}
SOURCES = ('virt/kvm/*.c', 'arch/x86/kvm/*.c')
# Overridden where the architecture has one of its own.
WEAK = re.compile(r'__weak|__attribute__\s*\(\(weak\)\)')
LABEL = re.compile(r'\bcase\s+(KVM_\w+)\s*:')
# {kind: the macros of its flags}
FLAGS = {
    'flag of a slot': re.compile(r'^#define\s+(KVM_MEM_[A-Z]\w*)\s', re.MULTILINE),
    'flag of guest_memfd': re.compile(r'^#define\s+(GUEST_MEMFD_FLAG_\w+)\s', re.MULTILINE),
    'attribute of pages': re.compile(r'^#define\s+(KVM_MEMORY_ATTRIBUTE_\w+)\s', re.MULTILINE),
    'flag of KVM_PRE_FAULT_MEMORY': re.compile(r'^#define\s+(KVM_PRE_FAULT_MEMORY_\w+)\s',
                                               re.MULTILINE),
}
HEADERS = ('include/uapi/linux/kvm.h', 'arch/x86/include/uapi/asm/kvm.h')

TABLES = 'tools/testing/selftests/kvm/include/x86/tdx'
# {table: its rows, (kind, name)}
TABLE_OF = {
    'tdx_ioctl_vm.def': re.compile(r'^(DEV|VM)_(?:IOCTL|VALUE|NONE)\((\w+)', re.MULTILINE),
    'tdx_ioctl_vcpu.def': re.compile(r'^(VCPU)_(?:IOCTL|VALUE|NONE)\((\w+)', re.MULTILINE),
    'tdx_cap.def': re.compile(r'^(\w+_CAP)\((\w+)', re.MULTILINE),
    'tdx_flag.def': re.compile(r'^FLAG\((\w+), (\w+)', re.MULTILINE),
}
KINDS = {
    'tdx_ioctl_vm.def': {'DEV': 'ioctl of /dev/kvm', 'VM': 'ioctl of a VM'},
    'tdx_ioctl_vcpu.def': {'VCPU': 'ioctl of a vCPU'},
    'tdx_cap.def': {'VM_CAP': 'capability of a VM', 'VCPU_CAP': 'capability of a vCPU'},
    'tdx_flag.def': {'SLOT': 'flag of a slot', 'GUEST_MEMFD': 'flag of guest_memfd',
                     'PAGES': 'attribute of pages', 'PRE_FAULT': 'flag of KVM_PRE_FAULT_MEMORY',
                     'DEV': 'attribute of /dev/kvm', 'VCPU': 'attribute of a vCPU'},
}
ELSEWHERE = re.compile(r'\.elsewhere = "(\w+)"')
UNTRIED = 'TDX_UNTRIED'


@dataclasses.dataclass(frozen=True)
class Row:
    """table: its file; kind: one of SWITCHES or FLAGS; text: the whole of the row."""

    table: str
    kind: str
    name: str
    text: str

    def elsewhere(self) -> str:
        """The test that pins what the sweep leaves out, '' for none."""
        match = ELSEWHERE.search(self.text)
        return match[1] if match else ''


def labels(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """{kind: names, in their order} of the sources and headers {path: text}.

    ValueError for a kind without any: the functions have other names now.
    """
    kind_of = {name: kind for kind, names in SWITCHES.items() for name in names}
    found: dict[str, list[str]] = {kind: [] for kind in (*SWITCHES, *FLAGS)}
    for path, text in sorted(texts.items()):
        if path in HEADERS:
            for kind, pattern in FLAGS.items():
                found[kind] += pattern.findall(text)
            continue
        blanked = c_source.blank(text).splitlines()
        for function in c_source.functions(text):
            body = '\n'.join(blanked[function.first - 1:function.last])
            if function.name in kind_of and not WEAK.search(body.partition('{')[0]):
                found[kind_of[function.name]] += LABEL.findall(body)
    missing = [kind for kind in SWITCHES if not found[kind]]
    if missing:
        raise ValueError(f'the source has no {missing[0]}: wanted case labels in '
                         + ' or '.join(f'{name}()' for name in SWITCHES[missing[0]]))
    return {kind: list(dict.fromkeys(names)) for kind, names in found.items()}


def sources(tree: str, changed: Mapping[str, str] | None = None) -> dict[str, str]:
    """{path: text} of what labels() looks at in the folder of a kernel's source.

    changed: {path: text} of files that a series changes.
    """
    paths = [os.path.relpath(path, tree) for pattern in SOURCES
             for path in glob.glob(os.path.join(tree, pattern))]
    texts = {}
    for path in (*paths, *HEADERS):
        with open(os.path.join(tree, path), encoding='utf-8', errors='replace') as f:
            texts[path] = f.read()
    return {**texts, **{path: text for path, text in (changed or {}).items() if path in texts}}


def rows() -> list[Row]:
    """The rows of all tables."""
    return [row for table in TABLE_OF for row in rows_of(table, text_of(f'{TABLES}/{table}'))]


def rows_of(table: str, text: str) -> list[Row]:
    """The rows of one table. A row ends where the next one or a comment begins."""
    matches = list(TABLE_OF[table].finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [Row(table, KINDS[table][match[1]], match[2],
                re.split(r'\n\n|\n(?=/\*|#)', text[match.start():end])[0])
            for match, end in zip(matches, ends)]


def without_row(have: Mapping[str, list[str]], known: list[Row]) -> Iterator[tuple[str, str]]:
    """(kind, name) of what a kernel has and no table."""
    there = {(row.kind, row.name) for row in known}
    for kind, names in have.items():
        yield from ((kind, name) for name in names if (kind, name) not in there)


def notes(tree: str, changed: Mapping[str, str] | None = None) -> list[str]:
    """A line for each part of the API of a kernel's source for which there is no row.

    tree, changed: as for sources().
    """
    try:
        have = labels(sources(tree, changed))
    except (OSError, ValueError) as e:
        return [f"KVM's API is not compared with the suite's tables: {e}"]
    return [f'{name}, {kind}: the suite does not say what a TD must get '
            f'({TABLES}/tdx_ioctl.h)' for kind, name in without_row(have, rows())]
