# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of cpio.py."""

import io
import os
import tempfile
import unittest

from tdxtest.base import cpio


def read(data):
    """[(name, mode, (major, minor) of a device, contents)] of an archive."""
    found = []
    while True:
        fields = [int(data[6 + 8 * n:14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        name = data[110:110 + name_size - 1].decode()
        assert data[:6] == b'070701' and data[110 + name_size - 1] == 0
        start = (110 + name_size + 3) // 4 * 4
        if name == 'TRAILER!!!':
            return found
        found.append((name, fields[1], (fields[9], fields[10]), data[start:start + size]))
        data = data[(start + size + 3) // 4 * 4:]


class Write(unittest.TestCase):
    def archive(self, **contents):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        files = {}
        for number, (name, text) in enumerate(contents.items()):
            files[f'/{name.replace("_", "/")}'] = path = os.path.join(folder, str(number))
            with open(path, 'wb') as f:
                f.write(text)
        target = io.BytesIO()
        cpio.write(target, files)
        return read(target.getvalue())

    def test_files_of_any_size(self):
        for size in range(6):
            *_, last = self.archive(init=b'x' * size)
            self.assertEqual(last, ('init', 0o100755, (0, 0), b'x' * size))

    def test_a_folder_comes_before_what_is_in_it(self):
        names = [name for name, *_ in self.archive(a_b_c=b'1', a_d=b'2')]
        self.assertEqual(names, ['a', 'a/b', 'dev', 'dev/console', 'a/b/c', 'a/d'])

    def test_the_console(self):
        entries = {name: (mode, device) for name, mode, device, _ in self.archive(init=b'')}
        self.assertEqual(entries['dev/console'], (0o020600, (5, 1)))
        self.assertEqual(entries['dev'][0], 0o040755)


if __name__ == '__main__':
    unittest.main()
