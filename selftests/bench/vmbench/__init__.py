# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmarks of vmfork against other ways to get running copies of a VM."""
