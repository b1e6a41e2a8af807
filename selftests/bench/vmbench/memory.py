# SPDX-License-Identifier: GPL-2.0-or-later
"""What processes cost in memory and page faults, from /proc."""
import re


def rollup(pid):
    """The sums of smaps, in bytes."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as text:
        return {name: int(kib) << 10
                for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text.read(), re.M)}


def minor_faults(pid):
    """Page faults of the process that needed no device: copies on write among them."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as text:
        return int(text.read().rpartition(")")[2].split()[7])
