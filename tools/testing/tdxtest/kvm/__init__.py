# SPDX-License-Identifier: GPL-2.0-only
"""KVM's modules, built again beside the first build."""
