#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""demo_table.py PARENT CLONES < stats.json: the demo's closing table."""
import json
import sys

MIB = 1 << 20
COLUMNS = (
    # title, unit, where it is in the VM's object, divisor
    ("resumed", "ms", ("times", "resumed_ms"), 1),
    ("1st result", "ms", ("times", "first_result_ms"), 1),
    ("fetched", "pages", ("pager", "fetched"), 1),
    ("avoided", "pages", ("pager", "avoided"), 1),
    ("shared", "pages", ("pager", "shared"), 1),
    ("private", "pages", ("pager", "private"), 1),
    ("memory", "MiB Pss", ("memory_use", "pss"), MIB),
    ("dirty", "MiB", ("memory_use", "private_dirty"), MIB),
)


def value(vm, path, divisor):
    """A figure of the object as text; "-" where there is none."""
    for key in path:
        vm = vm.get(key) if isinstance(vm, dict) else None
    if vm is None:
        return "-"
    if divisor == 1 and isinstance(vm, int):
        return str(vm)
    return f"{vm / divisor:.1f}"


def row(cells):
    """One line: all columns to the right."""
    return "".join(f"{cell:>11}" for cell in cells)


def main():
    name, clones = sys.argv[1], int(sys.argv[2])
    vms = json.load(sys.stdin)["vms"]
    parent = next(vm for vm in vms if vm["name"] == name)
    children = sorted((vm for vm in vms if vm["parent"] == parent["handle"]),
                      key=lambda vm: vm["id"])
    print("      each clone, in ms from the instant at which its parent was stopped:")
    print(row(["ID"] + [column[0] for column in COLUMNS]))
    print(row([""] + [column[1] for column in COLUMNS]))
    for vm in children:
        print(row([str(vm["id"])] + [value(vm, column[2], column[3]) for column in COLUMNS]))
    print(f"      the parent stood still for {value(parent, ('times', 'pause_ms'), 1)} ms "
          f"and has {value(parent, ('memory_use', 'pss'), MIB)} MiB Pss")
    return 0 if len(children) == clones else 1


if __name__ == "__main__":
    sys.exit(main())
