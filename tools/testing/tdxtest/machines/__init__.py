# SPDX-License-Identifier: GPL-2.0-only
"""The machines that can run a guest, by the name that --machine takes."""

from machines import bochs

MACHINES = {machine.name: machine for machine in (bochs.MACHINE,)}
