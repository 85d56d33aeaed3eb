# SPDX-License-Identifier: GPL-2.0-only
"""TDs with a real VMM, firmware and kernel, in a guest that runs the kernel under test."""
