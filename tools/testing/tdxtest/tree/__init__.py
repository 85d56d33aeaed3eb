# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's source with the project over it, and what is built from it."""
