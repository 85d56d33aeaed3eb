# SPDX-License-Identifier: GPL-2.0-only
"""Runs KVM's TDX selftests in an emulator, on a machine that has no TDX.

A folder imports only from itself and from those before it in this list:

    base      failures, progress, other programs, packages, the build folder
    tree      the kernel's source with the project over it, and what is built of it
    kvm       KVM's modules, built again beside the first build
    verdict   what the output of a guest means
    guest     images, machines, boots
    commands  a file for each command
    checks    a file for each check of the project itself
"""

import sys

# No byte code is left in a checkout.
sys.dont_write_bytecode = True
