# SPDX-License-Identifier: GPL-2.0-only
"""What everything else stands on: failures, progress, programs, packages, folders."""
