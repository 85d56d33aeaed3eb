# SPDX-License-Identifier: GPL-2.0-only
"""Images, machines and boots."""
