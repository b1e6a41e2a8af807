# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians and such."""
import statistics


def median(values):
    return statistics.median(values)


def p90(values):
    """The smallest value that nine tenths do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-9 * len(ordered) // 10) - 1)]
