# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests, in the rooms of what they test."""
