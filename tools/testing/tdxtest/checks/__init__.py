# SPDX-License-Identifier: GPL-2.0-only
"""What the project checks of itself."""
