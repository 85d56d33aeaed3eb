# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests, in folders named like those of what they test."""
