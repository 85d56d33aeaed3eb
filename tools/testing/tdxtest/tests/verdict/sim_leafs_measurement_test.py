# SPDX-License-Identifier: GPL-2.0-only
"""The digests that the KUnit tests of the simulated module want, calculated here as well."""

import hashlib
import re
import unittest

from tdxtest.verdict import sim_leafs

PAGE_SIZE = 4096
CHUNK_SIZE = 256
RECORD_SIZE = 128


def array(file, name):
    """The bytes of a C array of a KUnit test."""
    text = re.search(rf'\b{name}\[\w+\] = {{(.*?)}};', sim_leafs.read(sim_leafs.KUNIT_FOLDER, file),
                     re.DOTALL)
    return bytes(int(byte, 16) for byte in re.findall(r'0x(\w\w)', text[1]))


def record(leaf, gpa):
    """What TDH.MEM.PAGE.ADD and TDH.MR.EXTEND put before the contents, if any."""
    return (leaf.encode().ljust(16, b'\0') + gpa.to_bytes(8, 'little')).ljust(RECORD_SIZE, b'\0')


def mrtd(pages):
    """MRTD of [(GPA, content, or None for one that is not measured)]."""
    digest = hashlib.sha384()
    for gpa, content in pages:
        digest.update(record('MEM.PAGE.ADD', gpa))
        for i in range(0, len(content or ''), CHUNK_SIZE):
            digest.update(record('MR.EXTEND', gpa + i) + content[i:i + CHUNK_SIZE])
    return digest.digest()


class Measurement(unittest.TestCase):
    def test_mrtd_of_a_page(self):
        content = bytes((i * 7 + (i >> 8)) & 0xff for i in range(PAGE_SIZE))
        self.assertEqual(array('sept_kunit.c', 'wanted_mrtd'), mrtd([(0x7ffff000, content)]))

    def test_rtmr_extended_once(self):
        self.assertEqual(array('tdg_kunit.c', 'wanted_rtmr'),
                         hashlib.sha384(bytes(48) + bytes(range(48))).digest())
