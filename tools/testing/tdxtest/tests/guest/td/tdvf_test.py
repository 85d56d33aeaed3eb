# SPDX-License-Identifier: GPL-2.0-only
"""The MRTD of a firmware's file."""

import hashlib
import os
import struct
import tempfile
import unittest

from tdxtest.base.failure import Failure
from tdxtest.guest.td import tdvf

CODE = bytes(range(256)) * 16


def firmware(rows):
    """A file with TDVF metadata. rows: those of tdvf.Section."""
    metadata = struct.pack('<4sIII', b'TDVF', 16 + 32 * len(rows), 1, len(rows))
    metadata += b''.join(struct.pack('<IIQQII', *row) for row in rows)
    other = b'other' + struct.pack('<H', 5 + 18) + bytes(16)
    # How far the metadata is from the end of the file.
    back = len(metadata) + len(other) + 22 + 18 + 32
    entry = struct.pack('<IH', back, 22) + tdvf.METADATA_GUID
    table = entry + other
    table += struct.pack('<H', len(table) + 18) + tdvf.TABLE_GUID
    return CODE + metadata + table + bytes(32)


class Mrtd(unittest.TestCase):
    def mrtd(self, data):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), 'firmware')
        with open(path, 'wb') as f:
            f.write(data)
        return tdvf.mrtd(path)

    def test_a_page_that_is_measured(self):
        digest = hashlib.sha384(b'MEM.PAGE.ADD'.ljust(16, b'\0') + struct.pack('<Q', 0x1000)
                                + bytes(104))
        for chunk in range(0, 4096, 256):
            digest.update(b'MR.EXTEND'.ljust(16, b'\0') + struct.pack('<Q', 0x1000 + chunk)
                          + bytes(104) + CODE[chunk:chunk + 256])
        self.assertEqual(self.mrtd(firmware([(0, 4096, 0x1000, 4096, 0, 1)])),
                         digest.hexdigest())

    def test_a_page_that_is_only_added(self):
        digest = hashlib.sha384(b'MEM.PAGE.ADD'.ljust(16, b'\0') + struct.pack('<Q', 0x2000)
                                + bytes(104))
        rows = [(0, 0, 0x2000, 4096, 3, 0), (0, 0, 0, 0x100000, tdvf.PERMANENT_MEMORY, 0)]
        self.assertEqual(self.mrtd(firmware(rows)), digest.hexdigest())

    def test_a_firmware_without_metadata(self):
        for data in (bytes(8192), firmware([])):
            with self.assertRaisesRegex(Failure, 'no TDVF metadata'):
                self.mrtd(data)


if __name__ == '__main__':
    unittest.main()
