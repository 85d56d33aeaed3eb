# SPDX-License-Identifier: GPL-2.0-only
"""The commands, one file each, named as the command."""
