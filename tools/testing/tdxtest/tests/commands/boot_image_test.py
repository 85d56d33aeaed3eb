# SPDX-License-Identifier: GPL-2.0-only
"""An image and what is said of it."""

import json
import os
import tempfile
import unittest

from tdxtest.base.failure import UsageError
from tdxtest.commands import boot_image
from tdxtest.commands.package import IMAGE_FORMAT
from tdxtest.guest import machines


class Description(unittest.TestCase):
    def test_what_lies_beside_an_image(self):
        with tempfile.TemporaryDirectory() as folder:
            image = os.path.join(folder, 'tdxtest-7.3.iso')
            with self.assertRaisesRegex(UsageError, 'tdxtest-7.3.json is not there'):
                boot_image.description(image)
            for text in ('{', '[]', json.dumps({'format': 'other'})):
                with open(os.path.join(folder, 'tdxtest-7.3.json'), 'w', encoding='utf-8') as f:
                    f.write(text)
                with self.assertRaises(UsageError):
                    boot_image.description(image)
            about = {'format': IMAGE_FORMAT, 'machine': 'bochs', 'tests': {'a_test': ['f.t']}}
            with open(os.path.join(folder, 'tdxtest-7.3.json'), 'w', encoding='utf-8') as f:
                json.dump(about, f)
            self.assertEqual(boot_image.description(image), about)

    def test_the_machine_that_it_is_for(self):
        about = {'machine': 'bochs'}
        boot_image.check_machine(machines.named('bochs'), about)
        for name in ('bochs-plain', 'qemu-kvm', 'ssh:host'):
            with self.assertRaisesRegex(UsageError, 'the image is for bochs'):
                boot_image.check_machine(machines.named(name), about)
        # It needs the same patch, but has a clock of its own.
        with self.assertRaisesRegex(UsageError, 'the image is for bochs-plain'):
            boot_image.check_machine(machines.named('qemu-kvm'), {'machine': 'bochs-plain'})
